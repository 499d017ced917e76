//! What there is to ask, and what is refused before anybody is asked.

use async_graphql::SDLExportOptions;

use super::*;

/// Where the schema is written down.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema.graphql");

#[test]
fn the_schema_is_as_it_is_written_down() {
    let options = SDLExportOptions::new().prefer_single_line_descriptions();
    let now = schema().finish().sdl_with_options(options);
    if std::env::var("ESKER_GOLDEN").is_ok_and(|wish| wish == "write") {
        std::fs::write(GOLDEN, &now).expect("written");
    }
    let known = std::fs::read_to_string(GOLDEN).expect("docs/schema.graphql");
    assert_eq!(now, known, "ESKER_GOLDEN=write cargo test -p esker-web writes it anew");
}

async fn asked(query: &str) -> serde_json::Value {
    let answer = coded(schema().finish().execute(query).await);
    serde_json::to_value(&answer).expect("JSON")
}

/// What clients ask first.
const INTROSPECTION: &str = "query IntrospectionQuery { __schema { description queryType { name kind } mutationType { name kind }
    subscriptionType { name kind } types { ...FullType } directives { name description isRepeatable locations
    args { ...InputValue } } } }
  fragment FullType on __Type { kind name description specifiedByURL
    fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
    inputFields { ...InputValue } interfaces { ...TypeRef }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
  fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
  fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

#[tokio::test]
async fn clients_may_ask_what_there_is() {
    let told = asked(INTROSPECTION).await;
    assert_eq!(told.get("errors"), None, "{told}");
    assert_eq!(told["data"]["__schema"]["mutationType"], serde_json::Value::Null);
}

#[tokio::test]
async fn what_asks_for_too_much_is_refused_before_anybody_is_asked() {
    // There is no desk: whoever got through would panic.
    let deep =
        format!("{{ __schema {{ types {} name {} }} }}", "{ ofType ".repeat(20), "}".repeat(20));
    let many: String = (0..200).map(|n| format!("a{n}: problems {{ id }} ")).collect();
    let parts: String = (0..13).map(|n| format!("a{n}: model(path: []) ")).collect();
    for (query, told) in [
        (deep, "too deep"),
        ("{ resources(limit: 10000) { name json } }".to_owned(), "too complex"),
        ("{ log(limit: 1000) { text } }".to_owned(), "too complex"),
        (format!("{{ {many} }}"), "too complex"),
        (format!("subscription {{ {parts} }}"), "too complex"),
        ("mutation { put }".to_owned(), "mutation"),
        ("{ resource { name } }".to_owned(), "name"),
        ("{".to_owned(), "expected"),
        (
            "{ project @skip(if: false)".to_owned()
                + &" @skip(if: false)".repeat(9)
                + " { name } }",
            "directive",
        ),
    ] {
        let answer = asked(&query).await;
        let error = &answer["errors"][0];
        assert!(error["message"].as_str().is_some_and(|text| text.contains(told)), "{answer}");
        assert_eq!(error["extensions"]["code"], "bad-request", "{answer}");
        assert!(error["extensions"]["hint"].as_str().is_some_and(|hint| !hint.is_empty()));
    }
}

#[test]
fn a_query_has_a_length() {
    assert!(check(&Request::new("x".repeat(QUERY_MAX))).is_ok());
    let refused = check(&Request::new("x".repeat(QUERY_MAX + 1)));
    assert_eq!(refused.map_err(|fault| fault.code), Err(Code::TooLarge));
}

#[test]
fn a_fault_keeps_its_code_and_its_hint() {
    let fault = Fault::new(Code::NotFound, "no a").hint("ask for b").candidates(vec!["b".into()]);
    let told = serde_json::to_value(refusal(fault)).expect("JSON");
    assert_eq!(
        told["errors"][0],
        serde_json::json!({
            "message": "no a",
            "extensions": { "code": "not-found", "hint": "ask for b", "candidates": ["b"] }
        })
    );
}
