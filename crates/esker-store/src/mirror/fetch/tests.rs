//! What is made of git's own account of a fetch.

use super::rewritten;

#[test]
fn what_was_rewritten_is_known_from_what_else_is_refused() {
    assert_eq!(
        rewritten(" ! [rejected]        main       -> main  (non-fast-forward)"),
        Some("main")
    );
    assert_eq!(rewritten(" ! [rejected] v1 -> v1  (would clobber existing tag)"), Some("v1"));
    assert_eq!(rewritten(" ! [rejected] v1 -> v1  (unable to update local ref)"), None);
    assert_eq!(rewritten("   1234..5678  main -> main"), None);
}
