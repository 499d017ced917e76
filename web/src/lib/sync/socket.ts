// For tests alone: WebSockets to a publisher in the same process, whose moments are the test's.
import type { Socket } from "./link";
import { type Fields, join, split } from "./message";
import type { Publisher, Sent } from "./publisher";
import { utf8 } from "./testing";

/** A question as it went up. */
export interface Asked {
  id: number;
  verb: string;
  model: string;
  fields: Fields;
  body: Uint8Array | undefined;
}

export class FakeSocket implements Socket {
  binaryType: BinaryType = "blob";
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  readonly asked: Asked[] = [];
  isClosed = false;

  /** `answers` is asked for what comes down; without it nothing does. */
  constructor(readonly answers: Publisher | null = null) {}

  #call(listener: ((event: never) => void) | null, event: object): void {
    listener?.call(this as never, event as never);
  }

  open(): void {
    this.#call(this.onopen, {});
  }

  /** The other side ends it. */
  end(): void {
    this.isClosed = true;
    this.#call(this.onclose, {});
  }

  close(): void {
    this.isClosed = true;
  }

  send(data: unknown): void {
    const [head, body] = split(data as Uint8Array) as [Uint8Array, Uint8Array | undefined];
    const [name = "", ...lines] = new TextDecoder().decode(head).trimEnd().split("\n");
    const [, verb = "", model = ""] = name.split(" ");
    const fields: Record<string, string | bigint | string[][]> = {};
    for (const line of lines) {
      const [, key = "", value = ""] = /^\t([^:]+): (.*)$/.exec(line) ?? [];
      if (["section", "path", "after"].includes(key) && value.startsWith("[")) fields[key] = [...((fields[key] as string[][] | undefined) ?? []), JSON.parse(value)];
      else fields[key] = key === "epoch" ? BigInt(value) : value;
    }
    const asked = { id: Number(fields["id"]), verb, model, fields: { section: [], path: [], ...(verb === "GET" ? { after: [] } : {}), ...fields }, body };
    this.asked.push(asked);
    if (this.answers) queueMicrotask(() => this.answer(asked));
  }

  /** Has the publisher answer, in the form that it has on the wire. */
  answer({ id, verb, fields, body }: Asked): void {
    if (verb === "FOLLOW") return this.hear(utf8(`=====esker/1 OK\n\tid: ${id}\n`));
    const { head, frames } = (this.answers as Publisher).say(id, verb, fields, body);
    this.hear(head, ...frames);
  }

  hear(...frames: Uint8Array[]): void {
    if (!this.isClosed) this.#call(this.onmessage, { data: join(frames).buffer });
  }

  tell(all: readonly Sent[]): void {
    for (const { header, body } of all) this.hear(utf8("esker-sync/1 m\0"), header, body);
  }
}
