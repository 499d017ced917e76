// How each of several projects stands.
import { describe, expect, it } from "vitest";
import { type Hub, hubStanding, hubUrl, moment, readHubs, titleOf, together } from "./hubs";

const now = Date.parse("2026-11-20T12:00:00Z");
const told = { name: "plan", project: "Plan", reached: true, since: "2026-11-20T11:00:00Z", changed: null, stages: 3, late: 0, waiting: 0, running: 0, problems: 0, problem: null, runner: true, as_of: null, app: false };

function hub(otherwise: object = {}): Hub {
  const [one] = readHubs({ hubs: { plan: { ...told, ...otherwise } } });
  if (!one) throw new Error("none was read");
  return one;
}

describe("hubs", () => {
  it("are told apart by their names where projects call themselves the same", () => {
    const [one, other] = [{ ...hub(), name: "a", project: "p" }, { ...hub(), name: "b", project: "p" }];
    expect(titleOf(one, [one])).toBe("p");
    expect(titleOf(one, [one, other])).toBe("p (a)");
    expect(titleOf({ ...one, project: null }, [one, other])).toBe("a");
  });

  it("are none before there is anything", () => {
    expect(readHubs(undefined)).toEqual([]);
    expect(readHubs({})).toEqual([]);
  });

  it("stand in one sentence, what is worst first", () => {
    const cases: [object, string, string][] = [
      [{}, "good", "Everything is fresh"],
      [{ stages: 0 }, "good", "Stored: nothing has to be computed"],
      [{ waiting: 1 }, "late", "1 stage waiting for data"],
      [{ waiting: 1, late: 2 }, "late", "2 stages not up to date"],
      [{ late: 2, running: 1 }, "busy", "Computing: 1 stage"],
      [{ runner: false, late: 2 }, "late", "No runner works there"],
      [{ problems: 2, problem: "a: it broke", runner: false }, "bad", "2 problems: a: it broke"],
      [{ as_of: "then", runner: false }, "then", "As of then"],
    ];
    for (const [otherwise, kind, title] of cases) expect(hubStanding(hub(otherwise), now)).toEqual({ kind, title });
    const lost = hub({ reached: false, problems: 2 });
    expect(hubStanding(lost, now)).toEqual({ kind: "bad", title: `Not reached since ${moment(lost.since, now)}` });
  });

  it("are told together", () => {
    expect(together([hub()], now)).toBe("1 project, all well");
    expect(together([hub(), hub({ late: 1 }), hub({ reached: false })], now)).toBe("3 projects, 1 in trouble, 1 not up to date");
  });

  it("say the day of what is not of today", () => {
    const noon = new Date(2026, 10, 20, 12).getTime();
    expect(moment(noon, noon)).toBe("12:00:00");
    expect(moment(noon - 86_400_000, noon)).toBe("2026-11-19 12:00:00");
  });

  it("are below their names", () => {
    expect(hubUrl("über-all")).toBe("/%C3%BCber-all/");
  });
});
