import { expect, test } from 'vitest';
import { viewHtml } from '../../../src/host/view/viewHtml.ts';

const html = viewHtml({
  language: 'en"><script>',
  title: '<b>Tessera</b>',
  cspSource: 'https://view.test',
  nonce: 'abc123',
  script: 'https://view.test/main.js?"onload="x',
  styles: ['https://view.test/style.css'],
});

test('nothing may be loaded but our own script, style sheets and font', () => {
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1];
  expect(policy).toBe(
    'default-src &#39;none&#39;; style-src https://view.test; font-src https://view.test; script-src &#39;nonce-abc123&#39;',
  );
});

test('no value can leave its attribute', () => {
  expect(html.match(/<script/g)).toHaveLength(1);
  expect(html).not.toContain('<b>');
  expect(html).not.toContain('"onload=');
});

test('there are no inline scripts, handlers or styles', () => {
  expect(html).not.toMatch(/<script[^>]*>[^<]/);
  expect(html).not.toMatch(/\son\w+=/);
  expect(html).not.toMatch(/\sstyle=|<style/);
});
