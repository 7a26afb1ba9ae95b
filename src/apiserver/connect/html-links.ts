import type { ByteSource } from "../../wire/http/byte-source.ts";

/** Attributes that hold a link, by element. @spec k8s@1.36 apimachinery util/proxy/transport.go atomsToAttrs */
const LINKS: Readonly<Record<string, readonly string[]>> = {
  a: ["href"],
  applet: ["codebase"],
  area: ["href"],
  audio: ["src"],
  base: ["href"],
  blockquote: ["cite"],
  body: ["background"],
  button: ["formaction"],
  command: ["icon"],
  del: ["cite"],
  embed: ["src"],
  form: ["action"],
  frame: ["longdesc", "src"],
  head: ["profile"],
  html: ["manifest"],
  iframe: ["longdesc", "src"],
  img: ["longdesc", "src", "usemap"],
  input: ["src", "usemap", "formaction"],
  ins: ["cite"],
  link: ["href"],
  object: ["classid", "codebase", "data", "usemap"],
  q: ["cite"],
  script: ["src"],
  source: ["src"],
  video: ["poster", "src"],
};

/** Bytes of one tag that are waited for; a longer one passes as it is. Doubling it doubles what one answer can hold back. */
const TAG_BYTES_MAX = 16 * 1024;

/** Elements whose text is no markup. */
const RAW = /^(script|style|textarea|title|xmp|iframe|noembed|noframes)$/;
const TAG = /^<([a-zA-Z][^\s/>]*)/;
/** The look-behind keeps a long word from being tried from each of its letters. */
const ATTRIBUTE = /(?<![^\s"'<>/=])([^\s"'<>/=]+)(\s*=\s*)(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/g;

/**
 * Rewrites the links of an HTML page as it comes, piece by piece.
 *
 * Text is taken byte for byte (Latin-1): markup is ASCII in every encoding that browsers guess, and all else stays as it is.
 */
export class HtmlLinks {
  readonly #rewrite: (link: string) => string;
  #held = "";
  /** The element whose raw text goes on, until its end tag. */
  #raw = "";

  constructor(rewrite: (link: string) => string) {
    this.#rewrite = rewrite;
  }

  /** What can be passed on after `piece`. */
  push(piece: Buffer): Buffer {
    const text = this.#held + piece.toString("latin1");
    let out = "";
    let at = 0;
    for (;;) {
      const [start, isMarkup] = this.#nextMarkup(text, at);
      out += text.slice(at, start);
      at = start;
      const end = isMarkup ? endOfMarkup(text, start) : -1;
      if (end < 0) break;
      out += this.#markup(text.slice(start, end));
      at = end;
    }
    this.#held = text.slice(at);
    return this.#held.length > TAG_BYTES_MAX ? this.#flush(out) : Buffer.from(out, "latin1");
  }

  /** What was held back for an end that never came. */
  end(): Buffer {
    return this.#flush("");
  }

  #flush(out: string): Buffer {
    const all = out + this.#held;
    this.#held = "";
    return Buffer.from(all, "latin1");
  }

  /** Up to where plain text goes, and whether markup begins there; if not, what is left may be its beginning. */
  #nextMarkup(text: string, from: number): readonly [start: number, isMarkup: boolean] {
    if (this.#raw === "") {
      const start = text.indexOf("<", from);
      return start < 0 ? [text.length, false] : [start, true];
    }
    const closing = `</${this.#raw}`;
    const lower = text.toLowerCase();
    const start = lower.indexOf(closing, from);
    if (start >= 0) {
      this.#raw = "";
      return [start, true];
    }
    const last = lower.lastIndexOf("<");
    return [last >= from && closing.startsWith(lower.slice(last)) ? last : text.length, false];
  }

  #markup(tag: string): string {
    const name = TAG.exec(tag)?.[1]?.toLowerCase();
    if (name === undefined) return tag;
    if (RAW.test(name)) this.#raw = name;
    const links = Object.hasOwn(LINKS, name) ? LINKS[name]! : [];
    if (links.length === 0) return tag;
    const head = name.length + 1;
    const attributes = tag.slice(head).replace(ATTRIBUTE, (whole, key: string, equals: string) => {
      if (!links.includes(key.toLowerCase())) return whole;
      const value = whole.slice(key.length + equals.length);
      const quote = /^["']/.exec(value)?.[0] ?? "";
      const link = quote ? value.slice(1, -1) : value;
      return key + equals + quote + this.#rewrite(link) + quote;
    });
    return tag.slice(0, head) + attributes;
  }
}

/** `source` with its links rewritten. */
export function rewriteHtml(source: ByteSource, rewrite: (link: string) => string): ByteSource {
  const page = new HtmlLinks(rewrite);
  let isOver = false;
  return {
    read() {
      if (isOver) return null;
      const piece = source.read();
      if (piece) return page.push(piece);
      if (piece === undefined) return undefined;
      isOver = true;
      return page.end();
    },
    onReadable: (listener) => source.onReadable(listener),
    close: () => source.close(),
  };
}

/** One past the end of the tag, comment or declaration that begins at `start`; -1: it has not all come. */
function endOfMarkup(text: string, start: number): number {
  if (text.startsWith("<!--", start)) return after(text.indexOf("-->", start + 4), 3);
  const next = text.charAt(start + 1);
  if (next === "") return -1;
  if (!/[a-zA-Z/!?]/.test(next)) return start + 1;
  let quote = "";
  let before = "";
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at]!;
    if (quote !== "") quote = char === quote ? "" : quote;
    else if (char === ">") return at + 1;
    else if ((char === '"' || char === "'") && before === "=") quote = char;
    if (char > " ") before = char;
  }
  return -1;
}

const after = (index: number, length: number): number => (index < 0 ? -1 : index + length);
