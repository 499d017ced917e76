//! What is counted is told.

use super::*;
use crate::hubs::Standing;

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
    let text = metrics.text("1.2.3", 7, &Hubs::none());
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
    assert!(metrics.text("1.2.3", 7, &Hubs::none()).contains("esker_websockets 0"));
}

#[test]
fn what_is_counted_of_each_of_several_is_told_by_its_name() {
    let (server, plan, pay) = (Arc::new(Metrics::default()), Arc::default(), Arc::default());
    Metrics::request(&plan, "getContent", StatusCode::OK, Duration::from_millis(3));
    Metrics::hub(&pay, false, Duration::from_secs(5));
    server.login("done");
    let standing = |name: &str, reached| Standing {
        reached,
        ..Standing::unknown(name, false, jiff::Timestamp::UNIX_EPOCH)
    };
    let all = Arc::new(vec![standing("pay", false), standing("plan", true)]);
    let (_told, standings) = tokio::sync::watch::channel(all);
    let metrics = [("pay".to_owned(), pay), ("plan".to_owned(), plan)].into();
    let text = server.text("1.2.3", 0, &Hubs { standings, metrics });
    for line in [
        "esker_http_requests_total{hub=\"plan\",operation=\"getContent\",status=\"200\"} 1",
        "esker_hub_call_duration_seconds_count{hub=\"pay\",outcome=\"fault\"} 1",
        "esker_hub_up{hub=\"pay\"} 0",
        "esker_hub_up{hub=\"plan\"} 1",
        "esker_websockets 0",
        "esker_websockets{hub=\"pay\"} 0",
        "esker_logins_total{outcome=\"done\"} 1",
    ] {
        assert!(text.lines().any(|told| told == line), "{line}\n{text}");
    }
    let heads = text.lines().filter(|line| line.starts_with("# TYPE esker_websockets"));
    assert_eq!(heads.count(), 1);
}
