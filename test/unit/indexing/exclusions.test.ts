import { describe, expect, it } from 'vitest';
import { ExclusionRules } from '../../../src/indexing/exclusions.ts';
import { IgnoreRules } from '../../../src/indexing/ignoreRules.ts';

const parse = (text: string) => new IgnoreRules(text, { ignoreCase: false });
const bare = (...globs: string[]) => ExclusionRules.ofSettings(globs, { ignoreCase: false });
const ruleFile = (rules: ExclusionRules, path: string) =>
  rules.rule(path, path.slice(path.lastIndexOf('/') + 1), false).kind;
const ruleFolder = (rules: ExclusionRules, path: string) =>
  rules.rule(path, path.slice(path.lastIndexOf('/') + 1), true);

describe('ExclusionRules', () => {
  it('asks the nearest .gitignore first', () => {
    const inside = bare()
      .enter('', { '.gitignore': parse('*.log') })
      .enter('src', { '.gitignore': parse('!a.log') });
    expect(ruleFile(inside, 'src/a.log')).toBe('allowed');
    expect(ruleFile(inside, 'src/b.log')).toBe('ignored');
  });

  it('asks in the order .tesseraignore, .ignore, .gitignore, info/exclude, global excludes', () => {
    const strongest = (count: number) => {
      const order = ['.tesseraignore', '.ignore', '.gitignore'] as const;
      // The weaker ones ignore `a`, the strongest brings it back.
      const say = (place: number) => parse(place === count ? '!a' : place > count ? 'a' : '');
      return bare()
        .enterRepository('', { infoExclude: say(3), globalExcludes: say(4) })
        .enter('', Object.fromEntries(order.map((name, place) => [name, say(place)])));
    };
    for (let place = 0; place < 5; place++) expect(ruleFile(strongest(place), 'a'), `place ${place}`).toBe('allowed');
  });

  it("leaves the outer repository's git rules behind in an inner one, and keeps the others", () => {
    const inner = bare()
      .enter('', { '.gitignore': parse('*.outer'), '.tesseraignore': parse('*.never') })
      .enterRepository('vendor/lib', { infoExclude: parse('/top') });
    expect(ruleFile(inner, 'vendor/lib/a.outer')).toBe('allowed');
    expect(ruleFile(inner, 'vendor/lib/a.never')).toBe('ignored');
    expect(ruleFile(inner, 'vendor/lib/top')).toBe('ignored');
  });

  it('places rules from above the indexed folder', () => {
    const rules = bare().fromAbove('packages/app/', { '.gitignore': parse('/packages/app/out\n/out') });
    expect(ruleFile(rules, 'out')).toBe('ignored');
    expect(ruleFile(rules, 'packages/app/out')).toBe('allowed');
  });

  it("excludes what the settings' globs name, in VS Code's style", () => {
    const rules = bare('**/dist', '*.tmp', 'docs/**', '**/*.{a,b}', '**/.*.swp');
    for (const path of ['dist', 'x/dist', 'a.tmp', 'docs/x/y', 'x/y.a', 'y.b', 'x/.a.swp']) {
      expect(ruleFile(rules, path), path).toBe('ignored');
    }
    for (const path of ['dist2', 'x/a.tmp', 'src/docs/x', 'y.c']) expect(ruleFile(rules, path), path).toBe('allowed');
  });

  it('tells why a folder is left out by default, unless a rule names it', () => {
    expect(ruleFolder(bare(), 'a/node_modules')).toEqual({
      kind: 'skipped',
      reason: 'excluded',
      detail: 'packages installed by npm',
    });
    expect(ruleFolder(bare().enter('', { '.gitignore': parse('node_modules') }), 'node_modules').kind).toBe('ignored');
    expect(ruleFolder(bare().enter('', { '.gitignore': parse('!node_modules') }), 'node_modules').kind).toBe('allowed');
    expect(ruleFile(bare(), 'node_modules')).toBe('allowed');
  });

  it('knows caches, virtual environments and bare repositories by what is in them', () => {
    const judge = (entries: string[], text = '') =>
      bare()
        .enter('', { '.gitignore': parse(text) })
        .ruleByContent('x', new Set(entries)).kind;
    expect(judge(['CACHEDIR.TAG'])).toBe('skipped');
    expect(judge(['pyvenv.cfg', '.gitignore'])).toBe('skipped');
    expect(judge(['HEAD', 'objects', 'refs'])).toBe('skipped');
    expect(judge(['HEAD', 'refs'])).toBe('allowed');
    expect(judge(['CACHEDIR.TAG'], '!x/')).toBe('allowed');
  });

  it("brings back neither secrets nor version control's own", () => {
    const rules = bare().enter('', { '.tesseraignore': parse('!*\n!.git/\n!.ssh/') });
    expect(ruleFolder(rules, '.git').kind).toBe('ignored');
    expect(ruleFile(rules, 'sub/.git')).toBe('ignored');
    expect(ruleFolder(rules, '.ssh')).toMatchObject({ kind: 'skipped', reason: 'secret' });
  });
});
