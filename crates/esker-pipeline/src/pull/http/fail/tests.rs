//! How long servers ask to be left alone.

use super::*;

#[test]
fn servers_say_in_seconds_or_by_date_when_to_come_again() {
    let now = "1994-11-06T08:49:30Z".parse().unwrap();
    let seconds = |text| wait(text, now).map(|wait| wait.as_secs());
    assert_eq!(seconds("120"), Some(120));
    assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(7));
    assert_eq!(seconds("Sun, 06 Nov 1994 08:49:00 GMT"), None);
    assert_eq!(seconds("soon"), None);
    assert_eq!(seconds("-5"), None);
}
