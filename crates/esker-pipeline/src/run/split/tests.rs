//! Who hears that all is to end.

use super::*;

#[test]
fn what_is_made_of_all_parts_fits_into_memory() {
    assert_eq!(check_size(MADE_MAX), Ok(()));
    assert!(check_size(MADE_MAX + 1).unwrap_err().summary.contains("64 MiB together"));
}

#[test]
fn what_begins_when_all_is_to_end_hears_it_too() {
    let posts = Posts::new();
    let before = posts.mailbox();
    posts.stop();
    let after = posts.mailbox();
    for mailbox in [before, after] {
        assert!(matches!(mailbox.mail.try_recv(), Ok(Mail::Stop)));
    }
}
