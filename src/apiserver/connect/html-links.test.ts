import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HtmlLinks } from "./html-links.ts";

const rewrite = (link: string): string => (link.startsWith("/") ? `/P${link}` : link);

/** The page through the rewriter, in pieces of `size` bytes. */
function through(page: string, size: number): string {
  const links = new HtmlLinks(rewrite);
  const bytes = Buffer.from(page);
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size)
    out.push(links.push(bytes.subarray(at, at + size)));
  out.push(links.end());
  return Buffer.concat(out).toString();
}

describe("HtmlLinks", () => {
  it("rewrites links of elements, in whatever pieces they come, and nothing else", () => {
    const rows: readonly (readonly [string, string])[] = [
      ['<a href="/x">', '<a href="/P/x">'],
      ["<A HREF='/x' title='/y'>/z</A>", "<A HREF='/P/x' title='/y'>/z</A>"],
      ["<img src=/x alt=/y>", "<img src=/P/x alt=/y>"],
      ['<form class=a action = "/x?a=1&amp;b=2">', '<form class=a action = "/P/x?a=1&amp;b=2">'],
      ['<p href="/x">1 < 2 <3', '<p href="/x">1 < 2 <3'],
      ['<a title="a>b" href="/x">', '<a title="a>b" href="/P/x">'],
      ['<!-- <a href="/x"> --><a href="/y">', '<!-- <a href="/x"> --><a href="/P/y">'],
      [
        `<script src="/s.js">if (a<b) x = '<a href="/x">'</script><a href="/y">`,
        `<script src="/P/s.js">if (a<b) x = '<a href="/x">'</script><a href="/P/y">`,
      ],
      ['grüße <a href="/ü">', 'grüße <a href="/P/ü">'],
      ['<a href="/never-ends', '<a href="/never-ends'],
      ["<!doctype html><br/><a\nhref='b'>", "<!doctype html><br/><a\nhref='b'>"],
    ];
    for (const [page, expected] of rows)
      for (const size of [1, 3, 7, 1000]) assert.equal(through(page, size), expected);
  });

  it("holds back no more than a tag may have", () => {
    const page = `<a href="/x" title="${"y".repeat(100_000)}`;
    assert.equal(through(page, 1000), page);
  });
});
