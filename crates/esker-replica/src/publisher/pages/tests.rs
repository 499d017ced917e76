//! Pages: put together they are the model, and each is checked by itself.

use super::*;
use crate::op;
use crate::op::OPS_MAX;
use crate::path::path;
use crate::value::Value;

fn model(leaves: u32) -> Model {
    let mut model = Model::default();
    for at in 0..leaves {
        let keys = path(["all", &format!("{}", at % 10), &format!("{at:06}")]);
        model.apply(&keys, &Act::Set(i64::from(at).into()), 1);
    }
    model
}

/// All pages of a wish, applied to an empty model; the sum of what they say, and how many there were.
fn put_together(model: &Model, bases: &[Path], bytes_max: usize) -> (Model, Digest, usize) {
    let (mut made, mut sum, mut pages) = (Model::default(), Digest::ZERO, 0);
    let mut after: Option<Path> = None;
    loop {
        let wish = Wish { after: after.as_deref(), ..Wish::of(bases) };
        let page = page(model, &wish, bytes_max);
        after.clone_from(&page.next);
        let frame = Frame::from_one(&page.frame(Type::Chunk, (1, 1), pages % 2 == 0)).unwrap();
        assert_eq!(frame.header.last, after.is_none());
        let ops = op::decode(&frame.body).unwrap();
        assert_eq!(ops.len(), frame.header.ops as usize);
        let before = made.digest();
        for op in &ops {
            made.apply(&op.path, &op.act, 1);
        }
        if pages > 0 && bases[0].is_empty() {
            assert_eq!(made.digest() - before, frame.header.after, "a page is checked alone");
        }
        sum += frame.header.after;
        pages += 1;
        if after.is_none() {
            return (made, sum, pages);
        }
    }
}

#[test]
fn pages_of_any_size_make_the_model() {
    let model = model(500);
    for bytes_max in [1, 50, 1000, 1_000_000] {
        let (made, sum, pages) = put_together(&model, &[Path::new()], bytes_max);
        assert_eq!((made.digest(), sum), (model.digest(), model.digest()));
        assert_eq!(pages == 1, bytes_max == 1_000_000);
    }
}

#[test]
fn several_bases_come_one_after_the_other() {
    let model = model(100);
    let bases =
        [path(["all", "3"]), path(["all", "5", "000005"]), path(["all", "7"]), path(["none"])];
    let wanted: Digest = bases.iter().map(|base| model.digest_at(base)).sum();
    for bytes_max in [1, 100, 100_000] {
        let (made, sum, _) = put_together(&model, &bases, bytes_max);
        assert_eq!(sum, wanted);
        for base in &bases {
            assert_eq!(made.digest_at(base), model.digest_at(base));
        }
    }
}

#[test]
fn no_page_is_larger_than_a_body() {
    let mut model = Model::default();
    let large = Value::Text("x".repeat(VALUE_MAX - 5).into());
    for key in ["b", "d"] {
        model.apply(&path([key, &key.repeat(1000)]), &Act::Set(large.clone()), 1);
    }
    for (key, size) in [("a", 1024 * 1024 - 20), ("c", 100)] {
        model.apply(&path([key]), &Act::Set("y".repeat(size).as_str().into()), 1);
    }
    let (made, sum, pages) = put_together(&model, &[Path::new()], 1024 * 1024);
    assert_eq!((made.digest(), sum), (model.digest(), model.digest()));
    assert!(pages >= 4, "{pages}");
}

#[test]
fn a_page_has_no_more_operations_than_a_frame() {
    let model = model(OPS_MAX as u32 + 10);
    let page = page(&model, &Wish::of(&[Path::new()]), usize::MAX);
    assert_eq!((page.ops.count(), page.next.is_some()), (OPS_MAX, true));
}
