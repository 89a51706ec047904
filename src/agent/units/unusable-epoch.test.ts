import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { ElectionWatch } from '../election/election-watch.ts';
import { runIdMarks } from '../election/run-ids.ts';
import { Troubles } from '../state/troubles.ts';
import { noteEpochs } from './unusable-epoch.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-epoch-'));
});
afterEach(() => rm(folder, { recursive: true }));

const fileIn = (epoch: string) => `sentinel config-epoch orders 7\nsentinel current-epoch ${epoch}\n`;

test('the epochs of files are known; one that nobody can be elected in is told, with its Sentinel and the way out, until it is over', async () => {
  const config = join(folder, 'sentinel.conf');
  const said: string[][] = [];
  const running = { running: true };
  const epochs = {
    spec: { name: 'orders' },
    sentinels: [
      { place: { id: 'sentinel-2' }, unit: { paths: { config }, process: running } },
      { place: { id: 'sentinel-3' }, unit: { paths: { config: join(folder, 'none') }, process: running } },
      { place: { id: 'sentinel-4' }, unit: null },
    ],
    elections: new ElectionWatch(systemClock, runIdMarks('host-1', 'this', undefined)),
    events: { add: (...words: string[]) => void said.push(words) },
    troubles: new Troubles(),
  };
  await writeFile(config, fileIn('12'));
  await noteEpochs(epochs);
  expect([epochs.elections.highestEpoch, epochs.troubles.all]).toEqual([12, []]);

  await writeFile(config, fileIn('9223372036854775806'));
  await noteEpochs(epochs);
  await writeFile(config, fileIn('9223372036854775807'));
  await noteEpochs(epochs);
  const told = expect.stringMatching(
    /^sentinel-2 is in epoch 922337203685477580[67], .* holdfast down and holdfast up/,
  );
  expect(said).toEqual([['epoch-unusable', 'sentinel-2', told]]);
  expect([epochs.elections.highestEpoch, epochs.troubles.all]).toEqual([12, [told]]);

  running.running = false;
  await noteEpochs(epochs);
  expect([epochs.troubles.all, said.length]).toEqual([[], 1]);

  running.running = true;
  await writeFile(config, fileIn('13'));
  await noteEpochs(epochs);
  expect([epochs.elections.highestEpoch, epochs.troubles.all, said.length]).toEqual([13, [], 1]);
});
