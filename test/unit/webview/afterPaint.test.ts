import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AfterPaint } from '../../../src/webview/afterPaint.ts';

let frames: (() => void)[] = [];

beforeEach(() => {
  frames = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Draws a frame and runs what comes after it. */
function paint(): void {
  for (const frame of frames.splice(0)) frame();
  vi.runAllTimers();
}

test('work is done once, after the next frame', () => {
  const work = vi.fn();
  const later = new AfterPaint((draw) => frames.push(draw));
  later.put(work);
  vi.runAllTimers();
  expect(work).not.toHaveBeenCalled();
  expect(later.isWaiting).toBe(true);
  paint();
  paint();
  expect(work).toHaveBeenCalledTimes(1);
  expect(later.isWaiting).toBe(false);
});

test('who needs the work sooner has it done at once, and not again', () => {
  const work = vi.fn(() => later.isWaiting);
  const later = new AfterPaint((draw) => frames.push(draw));
  later.put(work);
  later.doNow();
  expect(work).toHaveReturnedWith(false);
  paint();
  expect(work).toHaveBeenCalledTimes(1);
});

test('newer work takes the place of older, and dropped work is never done', () => {
  const [old, newer] = [vi.fn(), vi.fn()];
  const later = new AfterPaint((draw) => frames.push(draw));
  later.put(old);
  later.put(newer);
  paint();
  expect(old).not.toHaveBeenCalled();
  expect(newer).toHaveBeenCalledTimes(1);
  later.put(old);
  later.drop();
  paint();
  later.doNow();
  expect(old).not.toHaveBeenCalled();
});
