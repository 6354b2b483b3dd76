import { certificate } from '../certificates.ts';
import { EdgeHarness, service } from '../edge-harness.ts';
import { tempDir } from '../temp.ts';
import { PATIENCE_S, reference } from './proxies.ts';
import { startRecorder } from './recorder.ts';
import type { Recorder } from './recorder.ts';
import { freePort } from '../free-port.ts';

/** A proxy in front of an instance of its own that records. */
export interface Side {
  readonly name: string;
  readonly port: number;
  /** HTTP/2 by ALPN. */
  readonly tlsPort: number;
  readonly recorder: Recorder;
  stop(): Promise<void>;
}

/** Our edge, and whatever else is installed; ours is the first. */
export async function startSides(): Promise<Side[]> {
  const pair = await certificate(tempDir('corpus'), 'a', ['a.example']);
  const others = reference.map(async (start): Promise<Side> => {
    const recorder = await startRecorder();
    const proxy = await start(tempDir('corpus'), recorder.port, pair);
    return {
      ...proxy,
      recorder,
      async stop() {
        await proxy.stop();
        await recorder.close();
      },
    };
  });
  return Promise.all([startEdge(pair), ...others]);
}

async function startEdge({ cert, key }: { cert: string; key: string }): Promise<Side> {
  const patience = String(PATIENCE_S * 1_000);
  const edge = new EdgeHarness({
    EVENKEEL_EDGE_HEADERS_TIMEOUT_MS: patience,
    EVENKEEL_EDGE_REQUEST_TIMEOUT_MS: patience,
    EVENKEEL_EDGE_KEEP_ALIVE_MS: patience,
    // Silence would end a connection without a word; the others say what they waited for.
    EVENKEEL_EDGE_STALL_MS: String(PATIENCE_S * 2_500),
  });
  await edge.start();
  const recorder = await startRecorder();
  const [port, tlsPort] = [await freePort(), await freePort()];
  const tls = {
    port: tlsPort,
    bind: '127.0.0.1',
    certificates: [{ cert, key }],
    redirect: false,
    hsts: 'off',
  } as const;
  const releases = [{ release: 'api@1', weight: 100, ports: [recorder.port] }];
  await edge.set(1, service('api', port, releases, { tls: { ...tls, certificates: [{ cert, key }] } }));
  await edge.healthy(`api@1-${recorder.port}`);
  return {
    name: 'evenkeel',
    port,
    tlsPort,
    recorder,
    async stop() {
      await edge.close();
      await recorder.close();
    },
  };
}
