//! Which section a path belongs to.

use super::*;
use crate::path::path;

#[test]
fn the_shortest_prefix_that_is_no_junction_names_the_section() {
    let junctions = Junctions::new([path(["content", "deep"])]);
    let all: Vec<Path> = junctions.paths().cloned().collect();
    assert_eq!(
        all,
        [path::<&str>([]), path(["content"]), path(["content", "deep"])],
        "with all between"
    );
    let cases: [(&[&str], Option<&[&str]>); 8] = [
        (&[], None),
        (&["content"], None),
        (&["content", "deep"], None),
        (&["stages"], Some(&["stages"])),
        (&["stages", "plan", "state"], Some(&["stages"])),
        (&["content", "raw"], Some(&["content", "raw"])),
        (&["content", "raw", "deep"], Some(&["content", "raw"])),
        (&["content", "deep", "", "x"], Some(&["content", "deep", ""])),
    ];
    for (keys, section) in cases {
        let path = path(keys);
        assert_eq!(junctions.section(&path), section.map(crate::path::path).as_deref(), "{keys:?}");
        assert_eq!(junctions.is_section(&path), section == Some(keys), "{keys:?}");
    }
}

#[test]
fn the_root_is_always_a_junction() {
    for junctions in [Junctions::default(), Junctions::new([])] {
        assert_eq!(junctions.section(&[]), None);
        assert!(junctions.is_section(&path(["a"])) && !junctions.is_section(&path(["a", "b"])));
    }
}

#[test]
fn above_sections_are_the_junctions_on_their_way() {
    let junctions = Junctions::new([path(["a", "b"]), path(["c"])]);
    let above =
        |sections: &[Path]| junctions.above(sections).into_iter().cloned().collect::<Vec<_>>();
    assert_eq!(above(&[path(["a", "x"])]), [path::<&str>([]), path(["a"])]);
    assert_eq!(above(&[path(["z"])]), [Path::new()]);
    assert_eq!(above(&[path(["a", "b", "x"]), path(["c", "y"])]).len(), 4);
    assert!(above(&[]).is_empty());
}
