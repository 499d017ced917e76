//! Real sockets: what is asked, what is made of the answers, and who gets to see the secrets.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::pull::stand::{Authority, Stand, answer};

use super::ask::{Answer, Header, Request, Validators, ask};
use super::*;
use crate::definition::secret::Secret;

fn request(url: &str) -> Request {
    Request {
        place: place::parse(url).unwrap(),
        named: "it".to_owned(),
        headers: Vec::new(),
        validators: Validators::default(),
        secrets: Secrets::default(),
        ca: None,
        timeout: Duration::from_secs(20),
        size_max: 1000,
    }
}

fn secret(name: &str, value: &str) -> Header {
    Header { name: name.to_owned(), value: value.to_owned(), is_secret: true }
}

#[track_caller]
fn content(request: &Request) -> (String, Validators, Option<&'static str>) {
    match ask(request).unwrap() {
        Answer::Content { bytes, validators, content_type } => {
            (String::from_utf8(bytes.to_vec()).unwrap(), validators, content_type)
        }
        Answer::Same => panic!("the server says that nothing has changed"),
    }
}

#[track_caller]
fn broken(request: &Request) -> Broken {
    ask(request).err().expect("it fails")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_content_comes_with_what_knows_it_again() {
    let stand = Stand::serve(|_| {
        let headers = [
            "ETag: \"v1\"",
            "Last-Modified: Mon, 04 Jan 2027 00:00:00 GMT",
            "Content-Type: Text/CSV; charset=utf-8",
        ];
        answer("200 OK", &headers, "a,b\n1,2\n")
    });
    let mut asked = request(&format!("{}/plan.csv?x=1#part", stand.url));
    let (text, validators, content_type) = content(&asked);
    assert_eq!((text.as_str(), content_type), ("a,b\n1,2\n", Some("text/csv")));
    let head = stand.asked.recv().unwrap().to_lowercase();
    assert!(head.starts_with("get /plan.csv?x=1 http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\naccept-encoding: gzip\r\n"), "{head}");
    assert!(head.contains(concat!("\r\nuser-agent: esker/", env!("CARGO_PKG_VERSION"), "\r\n")));
    assert!(!head.contains("if-"), "{head}");
    asked.validators = validators;
    content(&asked);
    let head = stand.asked.recv().unwrap().to_lowercase();
    assert!(head.contains("\r\nif-none-match: \"v1\"\r\n"), "{head}");
    assert!(head.contains("\r\nif-modified-since: mon, 04 jan 2027 00:00:00 gmt\r\n"), "{head}");
}

#[test]
fn nothing_new_is_only_said_to_those_who_asked() {
    let stand = Stand::serve(|_| answer("304 Not Modified", &[], ""));
    let mut asked = request(&stand.url);
    assert_eq!(broken(&asked).summary, "it answers 304 (Not Modified)");
    asked.validators.etag = Some("\"v1\"".to_owned());
    assert!(matches!(ask(&asked), Ok(Answer::Same)));
}

#[test]
fn what_is_compressed_is_unpacked_and_no_bomb_goes_off() {
    let stand = Stand::serve(|count| match count {
        0 => answer("200 OK", &["Content-Encoding: gzip"], gzip(b"a,b\n")),
        1 => answer("200 OK", &["Content-Encoding: gzip"], gzip(&vec![0; 50_000_000])),
        2 => answer("200 OK", &["Content-Encoding: gzip"], "no gzip at all"),
        3 => answer("200 OK", &["Content-Encoding: br"], "?"),
        _ => {
            let half = gzip(&[7; 900]);
            answer("200 OK", &["Content-Encoding: gzip"], &half[..half.len() - 9])
        }
    });
    let asked = request(&stand.url);
    assert_eq!(content(&asked).0, "a,b\n");
    assert_eq!(broken(&asked).summary, "it sends more than 1000 bytes");
    assert_eq!(
        broken(&asked).summary,
        "cannot read it: what it sends is no gzip, though it says so"
    );
    assert_eq!(broken(&asked).summary, "it sends what is encoded as \"br\"");
    let summary = broken(&asked).summary;
    assert!(summary.starts_with("cannot read it: "), "{summary}");
}

#[test]
fn what_is_too_large_is_not_taken() {
    let stand = Stand::serve(|count| answer("200 OK", &[], "x".repeat(1000 + count)));
    assert_eq!(content(&request(&stand.url)).0.len(), 1000);
    let broken = broken(&request(&stand.url));
    assert_eq!(broken.summary, "it sends more than 1000 bytes");
    assert!(!broken.temporary);
}

#[test]
fn secrets_go_to_no_other_server() {
    let other = Stand::serve(|_| answer("200 OK", &[], "moved"));
    let url = other.url.clone();
    let stand = Stand::serve(move |count| match count {
        0 => answer("302 Found", &["Location: sub/b.csv?x"], ""),
        _ => answer("307 Temporary Redirect", &[&format!("Location: {url}/c?key=signed")], ""),
    });
    let mut asked = request(&format!("{}/folder/a.csv", stand.url));
    asked.headers.push(secret("Authorization", "Bearer hush"));
    asked.headers.push(secret("X-Key", "hush"));
    asked.headers.push(Header { is_secret: false, ..secret("Accept", "text/csv") });
    assert_eq!(content(&asked).0, "moved");
    for path in ["/folder/a.csv", "/folder/sub/b.csv?x"] {
        let head = stand.asked.recv().unwrap().to_lowercase();
        assert!(head.starts_with(&format!("get {path} ")), "{head}");
        assert_eq!(head.matches("hush").count(), 2, "{head}");
    }
    let head = other.asked.recv().unwrap().to_lowercase();
    assert!(head.starts_with("get /c?key=signed "), "{head}");
    assert!(!head.contains("hush"), "{head}");
    assert!(head.contains("accept: text/csv\r\n"), "{head}");
}

#[test]
fn what_lets_in_is_told_in_no_form() {
    let pair = STANDARD.encode("me:hush-hush");
    let mut secrets = Secrets::default();
    hide(&mut secrets, &[secret("authorization", &format!("Basic {pair}"))]);
    assert_eq!(secrets.redact(&format!("bad credentials {pair}")), "bad credentials ***");
}

#[test]
fn no_part_of_a_secret_address_is_told() {
    let secret = Text::Secret(Secret::Env("PLAN_URL".to_owned()));
    let told = called(&secret, "hush-1234.xlsx");
    assert!(
        told.ends_with(".xlsx") && told.contains("PLAN_URL") && !told.contains("hush"),
        "{told}"
    );
    assert_eq!(called(&Text::Plain(String::new()), "plan.xlsx"), "plan.xlsx");
}

#[test]
fn redirects_that_lead_nowhere_are_told() {
    let stand = Stand::serve(|count| match count {
        0 => answer("301 Moved Permanently", &[], ""),
        1 => answer("302 Found", &["Location: ftp://example.org/x"], ""),
        _ => answer("302 Found", &["Location: /again"], ""),
    });
    let asked = request(&stand.url);
    assert_eq!(broken(&asked).summary, "it redirects to nowhere");
    assert_eq!(broken(&asked).summary, "it redirects to what is no address");
    assert_eq!(broken(&asked).summary, "it redirects more than 10 times");
    let mut heads = 0;
    while stand.asked.recv_timeout(Duration::from_millis(100)).is_ok() {
        heads += 1;
    }
    assert_eq!(heads, 13);
}

#[test]
fn refusals_say_what_to_do_and_whether_they_may_pass() {
    let cases = [
        ("401 Unauthorized", false, "it wants to know who asks"),
        ("404 Not Found", false, "correct the address"),
        ("418 I'm a teapot", false, "see its answer"),
        ("429 Too Many Requests", true, "ask less often"),
        ("500 Internal Server Error", true, "the server has a problem"),
        ("503 Service Unavailable", true, "the server has a problem"),
        ("206 Partial Content", false, "see its answer"),
    ];
    let stand = Stand::serve(move |count| {
        answer(cases[count].0, &["Retry-After: 120"], format!("why {count}"))
    });
    for (index, (status, temporary, hint)) in cases.into_iter().enumerate() {
        let broken = broken(&request(&stand.url));
        assert!(broken.summary.starts_with(&format!("it answers {}", &status[..3])), "{broken:?}");
        assert_eq!(broken.temporary, temporary, "{broken:?}");
        assert!(broken.hint.starts_with(hint), "{broken:?}");
        assert_eq!(broken.detail, format!("why {index}"));
        assert_eq!(broken.after, temporary.then_some(Duration::from_secs(120)));
    }
}

#[test]
fn a_page_where_data_was_asked_for_is_no_data() {
    let stand = Stand::serve(|_| answer("200 OK", &["Content-Type: text/html"], "<html>"));
    let url = format!("{}/export?format=csv", stand.url);
    assert_eq!(broken(&request(&url)).summary, "it gives a web page, not data");
    assert_eq!(content(&request(&format!("{}/page", stand.url))).0, "<html>");
}

#[test]
fn servers_that_break_off_stall_or_are_none_may_pass() {
    let stand = Stand::serve(|count| match count {
        0 => b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec(),
        1 => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal".to_vec(),
        _ => Vec::new(),
    });
    for _ in 0..3 {
        let broken = broken(&request(&stand.url));
        assert_eq!(broken.summary, "cannot read it: it broke off before the end", "{broken:?}");
        assert!(broken.temporary);
    }
    let url = stand.url.clone();
    drop(stand);
    let broken = broken(&request(&url));
    assert_eq!(broken.summary, "cannot reach it: nobody listens there");
    assert!(broken.temporary);
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    // Nobody accepts: the system takes the connection, and nothing comes.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut asked = request(&format!("http://{}", listener.local_addr().unwrap()));
    asked.timeout = Duration::from_millis(300);
    let broken = broken(&asked);
    assert_eq!(broken.summary, "it did not answer within 300ms");
    assert!(broken.temporary);
}

#[test]
fn what_is_no_http_is_a_problem() {
    let stand = Stand::serve(|_| b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec());
    let broken = broken(&request(&stand.url));
    assert!(broken.summary.starts_with("cannot read it: its answer is no HTTP"), "{broken:?}");
    assert!(!broken.temporary);
}

#[test]
fn only_those_who_are_known_are_believed() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let stand = Stand::serve_tls(ours.certify("localhost", 2100), |_| answer("200 OK", &[], "ok"));
    let mut asked = request(&stand.url);
    asked.ca = Some(ours.file());
    assert_eq!(content(&asked).0, "ok");
    for ca in [Some(theirs.file()), None] {
        asked.ca = ca;
        let broken = broken(&asked);
        assert!(broken.summary.contains("UnknownIssuer"), "{broken:?}");
        assert!(broken.hint.contains("ca = "), "{broken:?}");
        assert!(!broken.temporary);
    }
    for (name, until, why) in
        [("example.org", 2100, "not valid for name"), ("localhost", 2000, "expired")]
    {
        let stand = Stand::serve_tls(ours.certify(name, until), |_| answer("200 OK", &[], "ok"));
        let mut asked = request(&stand.url);
        asked.ca = Some(ours.file());
        let broken = broken(&asked);
        assert!(broken.summary.contains(why), "{broken:?}");
    }
}

#[test]
fn what_was_encrypted_stays_so() {
    let authority = Authority::new();
    let stand = Stand::serve_tls(authority.certify("localhost", 2100), |_| {
        answer("302 Found", &["Location: http://127.0.0.1:1/x"], "")
    });
    let mut asked = request(&stand.url);
    asked.ca = Some(authority.file());
    let summary = broken(&asked).summary;
    assert!(summary.starts_with("it redirects from https to http"), "{summary}");
}

#[test]
fn certificates_that_cannot_be_used_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut asked = request("https://localhost:1");
    let file = folder.path().join("ca.pem");
    asked.ca = Some(file.clone());
    assert!(broken(&asked).summary.contains("No such file"));
    std::fs::write(&file, "hello").unwrap();
    assert!(broken(&asked).summary.ends_with("ca.pem: there are none"));
}
