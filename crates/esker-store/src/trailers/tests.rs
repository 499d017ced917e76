//! Nothing a user writes is taken for what esker writes.

use bytes::Bytes;
use esker_wire::provenance::Input;
use esker_wire::revision::Revision;
use proptest::prelude::*;

use super::*;

fn asked(message: Option<&str>, provenance: Option<Provenance>) -> Put {
    let mut put = Put::one("raw/my plan".parse().unwrap(), Bytes::new());
    put.message = message.map(str::to_owned);
    put.provenance = provenance;
    put
}

fn written(put: &Put) -> String {
    write(put, &put.items.iter().collect::<Vec<_>>(), None)
}

fn written_under(put: &Put, project: Revision) -> String {
    write(put, &put.items.iter().collect::<Vec<_>>(), Some(project))
}

fn provenance(program: &str) -> Provenance {
    Provenance {
        stage: "condition".to_owned(),
        run_key: "key".to_owned(),
        inputs: vec![Input {
            resource: "raw/my plan".parse().unwrap(),
            revision: Revision::from_bytes([9; 20]),
        }],
        program: program.to_owned(),
        code: String::new(),
        engine: "esker".to_owned(),
        host: " h ".to_owned(),
        started: "2025-11-20T12:00:00.123456789Z".parse().unwrap(),
        duration_ms: 5,
        exit: -9,
        failed_parts: Vec::new(),
    }
}

#[test]
fn the_summary_names_what_changed() {
    let mut put = asked(None, None);
    assert_eq!(written(&put), "put raw/my plan");
    put.items[0].content = None;
    assert_eq!(written(&put), "remove raw/my plan");
    put.items = vec![put.items[0].clone(); 5];
    assert_eq!(written(&put), "remove raw/my plan, raw/my plan, raw/my plan and 2 more");
}

#[test]
fn content_types_of_names_with_blanks() {
    let mut put = asked(None, None);
    put.items[0].content_type = Some("text/csv; charset=utf-8".to_owned());
    let read = read(&written(&put));
    let content_type = read.content_type(&put.items[0].resource);
    assert_eq!(content_type.as_deref(), Some("text/csv; charset=utf-8"));
    assert_eq!(read.content_type(&"raw/my".parse().unwrap()), None);
}

#[test]
fn a_forged_paragraph_is_text() {
    let forged = written(&asked(Some("x"), Some(provenance("cat"))));
    let message = written(&asked(Some(&forged), None));
    assert!(message.starts_with("x\n\nEsker-Stage: condition\n"));
    assert_eq!(read(&message), Trailers::default());
    let both = written(&asked(Some(&forged), Some(provenance("dog"))));
    assert_eq!(read(&both).provenance, Some(provenance("dog")));
}

#[test]
fn what_it_was_made_under_is_told() {
    let project = Revision::from_bytes([0xab; 20]);
    let line = format!("Esker-Project: {project}");
    let alone = written_under(&asked(None, None), project);
    assert_eq!(alone, format!("put raw/my plan\n\n{line}"));
    assert_eq!(read(&alone), Trailers { project: Some(project), ..Trailers::default() });
    let both = read(&written_under(&asked(Some("x"), Some(provenance("cat"))), project));
    assert_eq!((both.provenance, both.project), (Some(provenance("cat")), Some(project)));
    let names = ("raw/a".parse().unwrap(), "raw/b".parse().unwrap());
    let moved = moved(None, (&names.0, &names.1), Some(project));
    assert_eq!(moved, format!("move raw/a to raw/b\n\nEsker-Moved: raw/a: raw/b\n{line}"));
    assert_eq!(read(&moved).project, Some(project));
    assert_eq!(read(&again("theirs", project, Some(project))).project, Some(project));
    // What a user writes so is text.
    let forged = format!("x\n\n{line}");
    assert_eq!(read(&written(&asked(Some(&forged), None))), Trailers::default());
    assert_eq!(read(&again(&forged, project, None)), Trailers::default());
    let other = Revision::from_bytes([7; 20]);
    assert_eq!(read(&written_under(&asked(Some(&forged), None), other)).project, Some(other));
}

proptest! {
    #[test]
    fn no_text_is_taken_for_ours(lines in prop::collection::vec("(Esker-Stage: a|Esker-Run-Key: b|Esker-Started: 2025-11-20T12:00:00Z|Esker-Duration-Ms: 1|Esker-Exit: 0|Esker-Content-Type: raw/my plan: x||word| |\r)", 0..12)) {
        let text = lines.join("\n");
        let message = written(&asked(Some(&text), None));
        prop_assert_eq!(read(&message), Trailers::default());
        let told = written(&asked(Some(&text), Some(provenance("cat"))));
        let expected = Trailers { provenance: Some(provenance("cat")), ..Trailers::default() };
        prop_assert_eq!(read(&told), expected);
    }

    #[test]
    fn provenance_there_and_back(program in "[^\\x00\r\n]{0,40}") {
        let told = written(&asked(None, Some(provenance(&program))));
        prop_assert_eq!(read(&told).provenance, Some(provenance(&program)));
    }
}
