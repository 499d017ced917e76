//! What is read of `[lineage]` and `[webhook.NAME]`, and what is refused with a line that helps.

use jiff::Timestamp;

use super::*;
use crate::definition::Definition;

fn read(text: &str) -> (Option<Definition>, String) {
    let whole = format!("[project]\nname = \"p\"\n{text}");
    let (definition, defects) = Definition::parse(&whole, Timestamp::now());
    let lines: Vec<String> = defects.iter().map(ToString::to_string).collect();
    (definition, lines.join("\n"))
}

#[test]
fn a_webhook_and_what_it_is_told() {
    let (definition, told) = read(
        "[lineage]\nfile = \"lineage.ndjson\"\nurl = \"https://a.example/api/v1/lineage\"\n\
         token = { env = \"T\" }\n[webhook.chat]\nurl = { file = \"chat.url\" }\n\
         events = [\"problem\", \"put\"]\nresources = \"results/*\"\nsecret = { env = \"S\" }\n",
    );
    let definition = definition.unwrap_or_else(|| panic!("{told}"));
    let lineage = definition.lineage.expect("lineage");
    assert_eq!(lineage.file.expect("a file").size_max, FILE_MAX);
    assert_eq!(lineage.server.expect("a server").secrets().count(), 1);
    let hook = &definition.webhooks[0];
    assert_eq!(hook.topics, [Topic::Problem, Topic::Put]);
    assert!(hook.resources.take(["results/plan"].into_iter()));
    assert!(!hook.resources.take(["raw/plan"].into_iter()));
    assert!(hook.stages.take(std::iter::empty()));
}

#[test]
fn what_is_wrong_is_said() {
    for (text, wanted) in [
        ("[lineage]\n", "[lineage] says nobody to tell"),
        ("[lineage]\nurl = \"ftp://a\"\n", "an address begins with https://"),
        ("[lineage]\nfile = \"a\"\nfile_max = \"1KB\"\n", "is less than 1000000 bytes"),
        ("[webhook.a]\nevents = \"put\"\n", "has no `url`"),
        ("[webhook.a]\nurl = \"https://a.b\"\nevents = [\"puts\"]\n", "there is no \"puts\""),
        ("[webhook.a]\nurl = \"https://a.b\"\nsecret = \"x\"\n", "a secret written out"),
        ("[webhook.a]\nurl = \"https://a.b\"\ntimeout = \"1h\"\n", "is more than 5m"),
        ("[webhook.a]\nurl = \"https://u:p@a.b\"\n", "is seen by everyone"),
    ] {
        let (definition, told) = read(text);
        assert!(definition.is_none() && told.contains(wanted), "{text}\n{told}");
    }
    let (definition, told) = read("[webhook.a]\nurl = \"https://a.b/?token=x\"\n");
    assert!(definition.is_some() && told.contains("holds a secret"), "{told}");
}
