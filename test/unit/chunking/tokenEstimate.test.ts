import { describe, expect, it } from 'vitest';
import { estimateTokens } from '../../../src/indexing/chunking/tokenEstimate.ts';

describe('estimateTokens', () => {
  it('is zero for nothing and for blanks', () => {
    expect(estimateTokens('')).toBe(0);
    expect(estimateTokens(' \t\n\r\n')).toBe(0);
  });

  it('is the sum over lines', () => {
    const lines = ['const parseConfig = (text) => {', '  return JSON.parse(text); // naïve', '};', '日本語のコメント'];
    const sum = lines.reduce((total, line) => total + estimateTokens(line), 0);
    expect(estimateTokens(lines.join('\n'))).toBe(sum);
    expect(estimateTokens(lines.join('\r\n'))).toBe(sum);
  });

  it('counts every line that shows something', () => {
    for (const line of ['}', 'x', '…', '語', 'é', '🙂']) expect(estimateTokens(line)).toBeGreaterThan(0);
  });

  it('grows with the text', () => {
    expect(estimateTokens('parseConfigurationFile')).toBeGreaterThan(estimateTokens('parse'));
    expect(estimateTokens('a'.repeat(10_000))).toBeGreaterThan(1_000);
  });
});
