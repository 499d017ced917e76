//! What is counted is told.

use super::*;

#[test]
fn what_is_counted_is_told() {
    let metrics = Arc::new(Metrics::default());
    metrics.request("getContent", StatusCode::OK, Duration::from_millis(3));
    metrics.request("getContent", StatusCode::OK, Duration::from_secs(60));
    metrics.request("getContent", StatusCode::NOT_FOUND, Duration::from_micros(1));
    metrics.hub(true, Duration::from_millis(20));
    metrics.login("wrong");
    metrics.drop_event();
    let socket = metrics.socket();
    let text = metrics.text("1.2.3", 7);
    for line in [
        "esker_build_info{version=\"1.2.3\"} 1",
        "esker_http_requests_total{operation=\"getContent\",status=\"200\"} 2",
        "esker_http_request_duration_seconds_bucket{operation=\"getContent\",le=\"0.001\"} 1",
        "esker_http_request_duration_seconds_bucket{operation=\"getContent\",le=\"30\"} 2",
        "esker_http_request_duration_seconds_bucket{operation=\"getContent\",le=\"+Inf\"} 3",
        "esker_http_request_duration_seconds_count{operation=\"getContent\"} 3",
        "esker_hub_call_duration_seconds_bucket{outcome=\"ok\",le=\"0.02\"} 1",
        "esker_logins_total{outcome=\"wrong\"} 1",
        "esker_sync_dropped_events_total 1",
        "esker_websockets 1",
        "esker_sessions 7",
    ] {
        assert!(text.lines().any(|told| told == line), "{line}\n{text}");
    }
    drop(socket);
    assert!(metrics.text("1.2.3", 7).contains("esker_websockets 0"));
}
