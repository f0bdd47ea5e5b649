/* A drill: what an engineer tries is seen on every page, and gone when it is stopped. */
import {accessible, assert, go, login, open, shot, until} from './session.mjs';

/* The cooling of a site fails, in a drill: one incident; production hears nothing of it. */
async function drill() {
	const s = await open();
	s.page.setDefaultTimeout(90000);
	await login(s.page, 'emil');
	await s.page.waitForSelector('.cards');
	const production = await s.page.textContent('.cards');
	await go(s.page, '#/simulator', 'main form select[name=speed]');
	await s.page.selectOption('main form label:has-text("Scenario") select', 'hvac_failure');
	await s.page.selectOption('main form select[name=speed]', '3600');
	await s.page.fill('main form [name="p.warmer_k"]', '12');
	await s.page.click('main form button.first');
	await s.page.click('main li >> text=Watch');
	await s.page.waitForSelector('.banner.simulation >> text=SIMULATION');
	await go(s.page, '#/alerts?view=incidents', 'main tbody tr');
	await until(s.page, () => /DC-CNX-01/.test(document.querySelector('main tbody').textContent));
	await s.page.click('main tbody a[href*="incident="]');
	await s.page.waitForSelector('main dd:has-text("air conditioning")');
	const of = await s.page.$$eval('main tbody tr', (all) => all.filter((r) => /air cond|cooling|hvac/i.test(r.textContent)).length);
	assert.equal(of, 1, 'one incident, not hundreds of alerts');
	await shot(s.page, 'drill-incident');
	await go(s.page, '#/', '.site');
	await until(s.page, () => document.querySelectorAll('.site').length === 1);
	await accessible(s.page, 'a drill');
	await shot(s.page, 'drill-overview');
	await go(s.page, '#/simulator', 'main li');
	await s.page.click('main li >> text=Stop');
	await s.page.waitForSelector('.banner.simulation', {state: 'detached'});
	await go(s.page, '#/', '.cards');
	assert.equal(await s.page.textContent('.cards'), production);
	await s.close();
}

await drill();
