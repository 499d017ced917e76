//! What the kernel's files say.

use super::*;

const MOUNTS: &str = "\
/dev/vda / ext4 rw,relatime 0 0
tmpfs /tmp tmpfs rw 0 0
/dev/vdb /tmp/a\\040disk xfs rw 0 0
/dev/vdc /tmpfoo btrfs rw 0 0
";

#[test]
fn a_folder_is_on_the_nearest_mount_above_it() {
    let kind = |dir: &str| file_system(MOUNTS, Path::new(dir)).unwrap_or_default();
    assert_eq!(kind("/home/me"), "ext4");
    assert_eq!(kind("/tmp/x"), "tmpfs");
    assert_eq!(kind("/tmp/a disk/x"), "xfs");
    assert_eq!(kind("/tmpfoo"), "btrfs");
}

#[test]
fn a_field_is_found_by_its_name() {
    let text = "processor\t: 0\nmodel name\t: A CPU\n";
    assert_eq!(field(text, "model name").as_deref(), Some("A CPU"));
    assert_eq!(field(text, "name"), None);
    assert_eq!(kilobytes("24 kB"), 24 * 1024);
}

#[test]
fn this_machine_is_known() {
    let here = Machine::here(&std::env::temp_dir().canonicalize().expect("a folder"));
    assert!(here.cores > 0 && here.memory > 0, "{here:?}");
    assert_ne!(here.file_system, "unknown");
}
