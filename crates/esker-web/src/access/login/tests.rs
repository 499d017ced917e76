//! Where one goes after logging in, and what of it stands in a page.

use super::*;

#[test]
fn one_goes_on_within_the_site_alone() {
    for next in ["/", "/r/raw/plan?at=HEAD~1", "/a#b", "/login?next=%2F"] {
        assert_eq!(way(Some(next)), next);
    }
    for next in [
        "",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "evil",
        "/a\r\nSet-Cookie: a=b",
        "/ä",
        "/a b",
        "\t/a",
    ] {
        assert_eq!(way(Some(next)), "/", "{next:?}");
    }
    assert_eq!(way(Some(&format!("/{}", "a".repeat(NEXT_MAX)))), "/");
    assert_eq!(way(None), "/");
}

#[test]
fn what_was_asked_for_is_only_text_in_the_page() {
    assert_eq!(escaped("\"><script>&"), "&quot;&gt;&lt;script&gt;&amp;");
    assert_eq!(encoded("/a?b=c&d#"), "/a%3Fb%3Dc%26d%23");
    assert_eq!(escaped("{said}"), "&#123;said}");
    assert!(FORM.contains(NEXT) && ELSEWHERE.contains(NEXT) && PAGE.contains(SAID));
    for page in [PAGE, FORM, ELSEWHERE] {
        assert!(!page.contains("<script>") && !page.contains("style=") && !page.contains("<style"));
    }
}
