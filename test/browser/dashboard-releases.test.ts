/** The page and an agent of another release: what one does not say, or says otherwise, costs its own place only. */
import { expect, test } from 'vitest';
import { nothingSerious, violations } from '../support/dashboard/axe.ts';
import { settled } from '../support/dashboard/opened.ts';
import { type Told, told } from '../support/dashboard/page-server.ts';
import { makeStage } from '../support/dashboard/stage.ts';
import * as states from '../support/dashboard/states.ts';

const stage = makeStage();
const { open } = stage;

/** What the agent that serves the page says that it is of. */
function ofRelease(release: string): Told {
  const all = told();
  const hosts = all.view.hosts.map((host) =>
    host.id === all.view.host ? { ...host, version: release } : host,
  );
  return { ...all, view: { ...all.view, hosts } };
}

test('when the agent is of another release than the page, the page says so and goes on', async () => {
  const tab = await open(ofRelease('1.0.0'));
  const banner = tab.getByRole('complementary', { name: 'Another release' });
  expect(await banner.count()).toBe(0);
  stage.server.told = ofRelease('2.0.0');
  stage.server.push();
  await banner.getByText('The agent is of release 2.0.0 now, and this page of 1.0.0.').waitFor();
  expect(await violations(tab)).toEqual(nothingSerious);
  await banner.getByRole('button', { name: 'Reload the page' }).click();
  await settled(tab);
  expect(await banner.count()).toBe(0);
});

test('a page that can not be drawn says so, and the others are there', async () => {
  const all = told();
  const { latency: _unsaid, ...clients } = all.view.clients;
  const view = { ...all.view, clients } as Told['view'];
  const tab = await open({ ...all, view }, 'members');
  await tab.getByRole('link', { name: 'redis-3' }).waitFor();
  await tab.getByRole('link', { name: 'Overview' }).click();
  await tab.getByText('This can’t be shown').waitFor();
  expect(await violations(tab)).toEqual(nothingSerious);
  await tab.getByRole('link', { name: 'Gates' }).click();
  await tab.getByRole('heading', { name: 'gate-1' }).waitFor();
  await tab.getByRole('link', { name: 'Overview' }).click();
  stage.server.told = told();
  stage.server.push();
  // It may be pressed before the better answer is there.
  const again = tab.getByRole('button', { name: 'Try again' });
  const picture = tab.getByRole('heading', { name: 'The picture' });
  const pressed = async () => {
    if ((await again.count()) > 0) await again.click();
    return picture.count();
  };
  await expect.poll(pressed).toBe(1);
});

test('a state that the page does not know stands as it is called', async () => {
  const all = told();
  const members = all.view.members.map((member, index) =>
    index === 2 ? { ...member, state: 'dreaming' } : member,
  ) as Told['view']['members'];
  const tab = await open({ ...all, view: { ...all.view, members } }, 'members');
  await tab
    .getByRole('row', { name: /redis-3/ })
    .getByText('dreaming')
    .waitFor();
});

test('what is the matter with a member that answers stands in its row, and whole in the picture', async () => {
  const tab = await open(states.degraded(), 'members');
  const row = tab.getByRole('row', { name: /redis-1/ });
  expect(await row.textContent()).toContain('its disk is full (0 bytes of 97 GiB are free)');
  await tab.goto(`${stage.server.address}#/overview`);
  await settled(tab);
  const box = await tab.locator('.picture a.member').first().textContent();
  expect(box?.replaceAll(/\s+/g, ' ')).toContain('its disk is full (0 bytes of 97 GiB are free)');
});
