//! What is damaged is found, and made whole again.
