//! What holds of any content and any edits.

use esker_wire::edit::address::{Address, Place, Row, Selector, Step};
use esker_wire::edit::{Before, Deed, Edit, Noted, Spot};
use proptest::prelude::*;

use super::super::{Content, Outcome, merge, merge_whole, read, try_any, weigh};

fn at(steps: Vec<Step>) -> Address {
    Address { resource: "a/b".parse().unwrap(), place: Place { steps } }
}

fn set(steps: Vec<Step>, text: &str) -> Edit {
    Edit { at: at(steps), deed: Deed::Set(text.to_owned()) }
}

/// A cell of the row of an id.
fn cell(id: usize, column: &str) -> Vec<Step> {
    vec![Step::Row(Row::key(format!("k{id}"))), Step::Name(column.to_owned())]
}

/// The rows of a table that is well made: ids, and texts of any kind.
fn rows() -> impl Strategy<Value = Vec<[String; 3]>> {
    let text = || prop_oneof!["[a-c]{0,3}", "[a,;\" \n\r]{0,4}"];
    let row = (text(), text(), text()).prop_map(|(a, b, c)| [a, b, c]);
    proptest::collection::vec(row, 1..7)
}

/// A table of these rows as it may be written, and whether between tabs.
fn written(rows: &[[String; 3]], (kind, ends): (u8, u8)) -> String {
    let end = if ends & 1 == 0 { "\n" } else { "\r\n" };
    let mark = ["\t", ",", ";", "\t"][usize::from(kind & 3)];
    let cell = |text: &String| match mark {
        "\t" => text.replace(['\n', '\r'], " "),
        _ if text.contains(['"', '\n', '\r']) || text.contains(mark) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        _ => text.clone(),
    };
    let mut lines = vec![["Id", "A", "B", "C"].join(mark)];
    for (id, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row.iter().map(cell).collect();
        lines.push(format!("k{id}{mark}{}", cells.join(mark)));
    }
    let mut out = lines.join(end) + if ends & 2 == 0 { end } else { "" };
    if kind & 3 == 3 {
        let mut stacked = Vec::new();
        esker_wire::stacked::write(&mut stacked, "other", b"x\ty\n");
        esker_wire::stacked::write(&mut stacked, "s", out.as_bytes());
        out = String::from_utf8(stacked).unwrap();
    }
    out
}

/// The steps with the stream before them, if there is one.
fn within(kind: u8, steps: Vec<Step>) -> Vec<Step> {
    let stream = (kind & 3 == 3).then(|| Step::Name("s".to_owned()));
    stream.into_iter().chain(steps).collect()
}

fn key() -> [String; 1] {
    ["Id".to_owned()]
}

fn any_word() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Ck0-3]{0,2}", "Id", "k[0-3]", "s", "a", "[0-2]", any::<String>()]
}

fn any_row() -> impl Strategy<Value = Row> {
    let selector = (proptest::option::of(any_word()), any_word())
        .prop_map(|(column, value)| Selector { column, value });
    prop_oneof![
        4 => "k[0-7]".prop_map(Row::key),
        1 => (1..9_u64).prop_map(Row::Number),
        1 => proptest::collection::vec(selector, 0..3).prop_map(Row::Keys),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        any_word().prop_map(Step::Name),
        any_row().prop_map(Step::Row),
        (0..6_u64).prop_map(Step::Number),
    ]
}

fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    prop_oneof![
        2 => proptest::collection::vec(any_step(), 0..4),
        2 => any_row().prop_map(|row| vec![Step::Row(row)]),
        3 => (any_row(), "[ABC]").prop_map(|(row, name)| vec![Step::Row(row), Step::Name(name)]),
        1 => Just(vec![]),
    ]
}

fn any_spot() -> impl Strategy<Value = Spot> {
    prop_oneof![
        Just(Spot::First),
        Just(Spot::Last),
        any_row().prop_map(Spot::After),
        any_row().prop_map(Spot::Before),
    ]
}

fn any_edit() -> impl Strategy<Value = Edit> {
    let text = || prop_oneof!["[a-c0-9,;\"\n]{0,4}", "[{\\[\"a:1,\\]}=]{0,6}", any::<String>()];
    let cells = proptest::collection::vec((any_word(), text()), 0..3);
    let deed = prop_oneof![
        4 => text().prop_map(Deed::Set),
        2 => (cells, any_spot()).prop_map(|(cells, to)| Deed::Add { cells, to }),
        2 => Just(Deed::Remove),
        2 => any_spot().prop_map(Deed::Move),
        1 => (0..9_u64).prop_map(Deed::Rank),
    ];
    (any_steps(), deed).prop_map(|(steps, deed)| Edit { at: at(steps), deed })
}

fn any_before() -> impl Strategy<Value = Option<Before>> {
    proptest::option::of(prop_oneof![
        Just(Before::Absent),
        Just(Before::First),
        "[a-c]{0,2}".prop_map(Before::Text),
        any_row().prop_map(Before::Behind),
        any::<Option<u64>>().prop_map(Before::Rank),
    ])
}

/// Contents of every form, and of none.
fn any_content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<Vec<u8>>(),
        (rows(), any::<(u8, u8)>()).prop_map(|(rows, how)| written(&rows, how).into_bytes()),
        "[\u{feff}]?([ab]?[,;\t\"\r\n=1]){0,14}".prop_map(String::into_bytes),
        "(=====[ab]?|\t|\n|a|\t=====x\n){0,14}".prop_map(String::into_bytes),
        "(\\[a\\]\n|\\[\\[b\\]\\]\n|a|b|[.=\n ]|= 1\n|= \"x\"\n|= \\[1, 2\\]\n|= \\{ a = 1 \\}\n){0,10}"
            .prop_map(String::into_bytes),
        any_json().prop_map(String::into_bytes),
    ]
}

fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[0-9]{1,2}".prop_filter("no zero before", |n| n.len() == 1 || !n.starts_with('0')),
        Just("\"x\"".to_owned()),
        Just("null".to_owned()),
        Just(" \"\\u0061\\n\" ".to_owned())
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let member = ("[abk]", inner.clone(), "[ \n]{0,2}")
            .prop_map(|(key, value, blank)| format!("{blank}\"{key}\":{blank}{value}{blank}"));
        prop_oneof![
            proptest::collection::vec(member, 0..4)
                .prop_map(|all| format!("{{{}}}", all.join(","))),
            proptest::collection::vec(inner, 0..4).prop_map(|all| format!("[{}]", all.join(","))),
        ]
    })
}

/// The bytes between what two texts begin and end with alike.
fn differing<'t>(one: &'t [u8], other: &'t [u8]) -> (&'t [u8], &'t [u8]) {
    let start = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[start..], &other[start..]);
    let end = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    (&one[..one.len() - end], &other[..other.len() - end])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_makes_it_panic(
        content in any_content(),
        other in any_content(),
        noted in proptest::collection::vec((any_edit(), any_before()), 0..5),
        keyed in any::<bool>(),
    ) {
        let key = key();
        let content = Content { key: if keyed { &key } else { &[] }, ..Content::new(&content) };
        let bare: Vec<Edit> = noted.iter().map(|(edit, _)| edit.clone()).collect();
        if let Ok(all) = weigh(content, &noted) {
            prop_assert_eq!(all.outcomes.len(), noted.len());
        }
        for (edit, before) in &noted {
            drop(weigh(content, &[(edit.clone(), before.clone())]));
            drop(weigh(content, &[(edit.clone(), None)]));
            drop(read(content, &edit.at.place));
        }
        drop(merge(content, &other, &bare, &[]));
        drop(merge_whole(content, &other, b"Id,A\nk1,x\n", &[]));
        drop(merge_whole(content, b"{\"a\": 1}", &other, &[]));
        drop(try_any(&other));
    }

    #[test]
    fn a_cell_is_read_as_it_was_set(
        rows in rows(), how in any::<(u8, u8)>(), id in 0..9_usize, column in "[ABC]", text in "[a-c,;\"\n =]{0,6}",
    ) {
        let (content, key) = (written(&rows, how), key());
        let content = Content { key: &key, ..Content::new(content.as_bytes()) };
        let steps = within(how.0, cell(id, &column));
        let edit = set(steps.clone(), &text);
        let made = weigh(content, &[(edit.clone(), None)]);
        let is_tabs = matches!(how.0 & 3, 0 | 3);
        prop_assert_eq!(made.is_ok(), id < rows.len() && !(is_tabs && text.contains('\n')));
        if let Ok(made) = made {
            let after = Content { bytes: &made.content, ..content };
            prop_assert_eq!(read(after, &edit.at.place), Some(text.clone()));
            let [Outcome::Applied { before: Before::Text(old) }] = &made.outcomes[..] else {
                panic!("{:?}", made.outcomes);
            };
            prop_assert_eq!(read(content, &edit.at.place), Some(old.clone()));
            // Nothing else has changed.
            let (was, is) = differing(content.bytes, &made.content);
            let most = |text: &str| 2 * text.len() + 2;
            prop_assert!(was.len() <= most(old) && is.len() <= most(&text), "{was:?} {is:?}");
        }
    }

    #[test]
    fn a_value_is_read_as_it_was_set(content in any_json(), steps in any_steps(), text in "[a-c{}\\[\\]\"0-9 \n,:]{0,6}") {
        let edit = set(steps, &text);
        let content = Content { content_type: Some("application/json"), ..Content::new(content.as_bytes()) };
        if let Ok(made) = weigh(content, &[(edit.clone(), None)]) {
            let after = Content { bytes: &made.content, ..content };
            let value = read(after, &edit.at.place).unwrap();
            let json = serde_json::from_str::<serde_json::Value>(&text);
            let is_same = value == text || json.is_ok_and(|json| {
                json.as_str() == Some(&value) || serde_json::from_str(&value).ok() == Some(json)
            });
            prop_assert!(is_same, "{text:?} became {value:?}");
        }
    }

    #[test]
    fn cells_that_are_not_the_same_commute(
        rows in rows(), how in any::<(u8, u8)>(), one in (0..7_usize, "[ABC]"), two in (0..7_usize, "[ABC]"),
    ) {
        let (one, two) = ((one.0 % rows.len(), one.1), (two.0 % rows.len(), two.1));
        if one == two {
            return Ok(());
        }
        let (content, key) = (written(&rows, how), key());
        let content = Content { key: &key, ..Content::new(content.as_bytes()) };
        let one: Noted = (set(within(how.0, cell(one.0, &one.1)), "x;y"), None);
        let two: Noted = (set(within(how.0, cell(two.0, &two.1)), "z"), None);
        let there = weigh(content, &[one.clone(), two.clone()]).unwrap().content;
        let back = weigh(content, &[two.clone(), one.clone()]).unwrap().content;
        prop_assert_eq!(&there, &back);
        let first = weigh(content, &[one]).unwrap().content;
        let then = weigh(Content { bytes: &first, ..content }, &[two]).unwrap().content;
        prop_assert_eq!(there, then);
    }

    #[test]
    fn edits_are_made_once_and_found_again(
        rows in rows(), how in any::<(u8, u8)>(), edits in proptest::collection::vec(any_edit(), 1..6),
    ) {
        let (content, key) = (written(&rows, how), key());
        let content = Content { key: &key, ..Content::new(content.as_bytes()) };
        let edits: Vec<Edit> = edits
            .into_iter()
            .map(|edit| Edit { at: at(within(how.0, edit.at.place.steps)), ..edit })
            .filter(|edit| weigh(content, &[(edit.clone(), None)]).is_ok())
            .collect();
        let noted: Vec<Noted> = edits.iter().map(|edit| (edit.clone(), None)).collect();
        let Ok(made) = weigh(content, &noted) else {
            return Ok(());
        };
        let same = merge(content, content.bytes, &edits, &[]).unwrap();
        prop_assert_eq!(&same.content, &made.content);
        let again = merge(content, &made.content, &edits, &[]).unwrap();
        prop_assert!(again.outcomes.iter().all(|one| *one == Outcome::Already), "{:?}", again.outcomes);
        prop_assert_eq!(&again.content, &made.content);
        // All that was found lets the edits be made one after the other, or be found to be there.
        let befores = made.outcomes.iter().map(|outcome| match outcome {
            Outcome::Applied { before } => Some(before.clone()),
            _ => None,
        });
        let noted: Vec<Noted> = edits.into_iter().zip(befores).collect();
        let once_more = weigh(content, &noted).unwrap();
        prop_assert!(once_more.is_settled(), "{:?}", once_more.outcomes);
        prop_assert_eq!(once_more.content, made.content);
    }

    #[test]
    fn what_one_replaced_is_merged_to_what_it_is(one in rows(), two in rows(), how in any::<(u8, u8)>()) {
        // Mine changes any cells but the last row's, theirs the last row's.
        let (mut two, last) = (two, ["x", "y", "z"].map(str::to_owned));
        two.resize(one.len(), <[String; 3]>::default());
        let with = |rows: &[[String; 3]], text: &str| {
            let mut last = last.clone();
            last[1] = text.to_owned();
            written(&[rows, &[last]].concat(), how)
        };
        let (base, mine, theirs) = (with(&one, "y"), with(&two, "y"), with(&one, "q"));
        let merged = merge_whole(Content::new(base.as_bytes()), theirs.as_bytes(), mine.as_bytes(), &[]);
        let merged = merged.unwrap();
        prop_assert!(merged.is_settled(), "{:?}", merged.outcomes);
        prop_assert_eq!(String::from_utf8(merged.content).unwrap(), with(&two, "q"));
    }
}
