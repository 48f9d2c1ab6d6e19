import { describe, expect, it } from 'vitest';
import { TesseraError } from '../../../src/base/errors.ts';
import { RequestClient } from '../../../src/process/requestClient.ts';
import { RequestServer } from '../../../src/process/requestServer.ts';
import { createLinkPair } from '../../fakes/linkPair.ts';

interface Requests {
  [method: string]: readonly [unknown, unknown];
  double: readonly [number, number];
  wait: readonly [null, string];
  fail: readonly [null, null];
  take: readonly [unknown, null];
  giveFunction: readonly [null, unknown];
}
interface Events {
  [name: string]: unknown;
  ready: null;
  vector: Float32Array;
}

function connect(options: { maxInFlight?: number } = {}) {
  const [near, far] = createLinkPair();
  const waiting: { resolve: (text: string) => void; signal: { readonly aborted: boolean } }[] = [];
  const server = new RequestServer<Requests, Events>(far, {
    double: (value) => value * 2,
    wait: (_, signal) => new Promise((resolve) => waiting.push({ resolve, signal })),
    take: () => null,
    giveFunction: () => () => undefined,
    fail: () => Promise.reject(new TesseraError('model-missing', 'No model.', { details: { folder: '/m' } })),
  });
  return { near, far, server, waiting, client: new RequestClient<Requests, Events>(near, options) };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('a request over a link', () => {
  it('is answered with the handler’s result', async () => {
    const { client } = connect();
    expect(await Promise.all([client.request('double', 2), client.request('double', 5)])).toEqual([4, 10]);
    expect(client.pendingCount).toBe(0);
  });

  it('is rejected with the code and details of what the handler threw', async () => {
    const { client } = connect();
    await expect(client.request('fail', null)).rejects.toMatchObject({
      code: 'model-missing',
      details: { folder: '/m' },
    });
  });

  it('for an unknown method is a protocol violation', async () => {
    const [near, far] = createLinkPair();
    new RequestServer<Requests, Events>(far, {} as never);
    await expect(new RequestClient<Requests, Events>(near).request('double', 1)).rejects.toMatchObject({
      code: 'protocol-violation',
    });
  });

  it('rejects at once when cancelled, tells the peer, and drops the late answer', async () => {
    const { client, waiting } = connect();
    const cancellation = new AbortController();
    const answer = client.request('wait', null, cancellation.signal);
    await settle();
    cancellation.abort();
    await expect(answer).rejects.toMatchObject({ code: 'cancelled' });
    await settle();
    expect(waiting[0]!.signal.aborted).toBe(true);
    waiting[0]!.resolve('late');
    await settle();
    expect(client.pendingCount).toBe(0);
  });

  it('that was cancelled before it was made is never sent', async () => {
    const { client, near } = connect();
    await expect(client.request('double', 1, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    expect(near.sent).toEqual([]);
  });

  it('that cannot be copied fails by itself, and so does an answer that cannot', async () => {
    const { client } = connect();
    const answers = [
      client.request('take', () => 1),
      client.request('giveFunction', null),
      client.request('double', 2),
    ];
    await expect(answers[0]).rejects.toMatchObject({ code: 'invalid-argument', details: { what: 'take' } });
    await expect(answers[1]).rejects.toMatchObject({ code: 'invalid-argument', details: { what: 'response' } });
    expect(await answers[2]).toBe(4);
    expect(client.pendingCount).toBe(0);
  });

  it('settles when the link goes away, and so does every later one', async () => {
    const { client, far } = connect();
    const answer = client.request('wait', null);
    far.dispose();
    await expect(answer).rejects.toMatchObject({ code: 'process-exited' });
    await expect(client.request('double', 1)).rejects.toMatchObject({ code: 'process-exited' });
  });

  it('settles when the client is disposed', async () => {
    const { client } = connect();
    const answer = client.request('wait', null);
    client.dispose();
    await expect(answer).rejects.toMatchObject({ code: 'disposed' });
  });

  it('waits at this end while the peer holds as many as allowed', async () => {
    const { client, near, waiting } = connect({ maxInFlight: 2 });
    const answers = [1, 2, 3].map(() => client.request('wait', null));
    await settle();
    expect(near.sent).toHaveLength(2);
    waiting[0]!.resolve('first');
    expect(await answers[0]).toBe('first');
    await settle();
    expect(near.sent).toHaveLength(3);
    waiting.forEach(({ resolve }) => resolve('rest'));
    expect(await Promise.all(answers)).toEqual(['first', 'rest', 'rest']);
  });
});

describe('an event over a link', () => {
  it('reaches its listeners with typed arrays as they were, until they leave', async () => {
    const { client, server } = connect();
    const seen: Float32Array[] = [];
    const subscription = client.on('vector', (vector) => seen.push(vector));
    server.emit('vector', Float32Array.of(1, 2));
    await settle();
    subscription.dispose();
    server.emit('vector', Float32Array.of(3));
    await settle();
    expect(seen).toEqual([Float32Array.of(1, 2)]);
  });
});

describe('a server whose caller leaves', () => {
  it('cancels what it was doing for it', async () => {
    const { client, near, waiting } = connect();
    client.request('wait', null).catch(() => undefined);
    await settle();
    near.dispose();
    expect(waiting[0]!.signal.aborted).toBe(true);
  });
});
