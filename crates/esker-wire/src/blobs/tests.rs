//! Which texts name a bucket, and which servers are spoken to.

use super::*;

#[test]
fn a_bucket_and_what_its_names_begin_with() {
    for (text, bucket, prefix) in [
        ("s3://data", "data", ""),
        ("s3://data/", "data", ""),
        ("s3://my.data-1/team/store/", "my.data-1", "team/store"),
    ] {
        let blobs: Blobs = text.parse().unwrap();
        assert_eq!((blobs.bucket.as_str(), blobs.prefix.as_str()), (bucket, prefix), "{text}");
        assert_eq!(blobs.to_string(), text.trim_end_matches('/'));
    }
    let bad =
        ["data", "s3://", "s3://a", "s3://Data", "s3://data//a", "s3://data/../a", "s3://data/a b"];
    for text in bad {
        assert!(text.parse::<Blobs>().is_err(), "{text}");
    }
    let error = "s3://KEY:SECRET@data/a".parse::<Blobs>().unwrap_err().to_string();
    assert!(error.contains("environment") && !error.contains("SECRET"), "{error}");
}

#[test]
fn in_the_clear_only_to_this_machine() {
    let check = |text| Blobs::check_endpoint(text, false);
    for text in [
        "http://127.0.0.1:9000",
        "http://localhost",
        "http://[::1]:9000/",
        "https://s3.example.org",
    ] {
        assert_eq!(check(text), Ok(()), "{text}");
    }
    for text in
        ["http://10.0.0.1:9000", "http://localhost.example.org", "http://", "s3.example.org"]
    {
        assert!(check(text).is_err(), "{text}");
    }
    assert_eq!(Blobs::check_endpoint("http://10.0.0.1:9000", true), Ok(()));
    let error = check("https://KEY:SECRET@host").unwrap_err().to_string();
    assert!(error.contains("environment") && !error.contains("SECRET"), "{error}");
}
