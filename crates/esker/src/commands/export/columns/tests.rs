//! Names that stay apart.

use super::*;

#[test]
fn names_stay_apart() {
    let mut columns = Columns::new(&["revision", "row"]);
    let places = ["id", "Id", "id", "row", "id 2"].map(|name| columns.place(name));
    assert_eq!(places, [2, 3, 2, 4, 5]);
    assert_eq!(columns.names, ["revision", "row", "id", "Id 2", "row 2", "id 2 2"]);
}
