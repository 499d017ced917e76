//! The repository's other examples run as they are.

use crate::world::World;

#[test]
fn weather_comes_from_a_package_through_python_and_awk() {
    let world = World::example("weather");
    world.ok(&["check"]);
    let _up = world.up();
    world.wait_for_content("results/months", |content| content.lines().count() == 49);
    let months = world.content("results/months").expect("just seen");
    assert!(
        months.starts_with(
            "month,days,wet_days,rain_mm,mean_high_c,mean_low_c\n2012-01,31,22,173.3,"
        ),
        "{months}"
    );
}
