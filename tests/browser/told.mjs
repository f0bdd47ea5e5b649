/* What alerts say in both languages: node told.mjs WWW RULES <ALERTS, a JSON object a line.
 * Each default rule has words in both; what the engine wrote is found again in them, with
 * its values; what is not of these rules stays as it is stored. */
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';

globalThis.document = {documentElement: {}};
globalThis.navigator ??= {};
const [www, rules] = process.argv.slice(2);
const part = (name) => import(`${www}/js/${name}.js`);
const {language} = await part('i18n'), {figuresOf, noteOf, titleOf, whatOf} = await part('told');
const en = (await part('lang/en')).default, th = (await part('lang/th')).default;

/* name -> message of a rule file; a line that begins with a blank goes on. */
function messagesOf(text) {
	const all = {};
	let rule = null;
	for (const line of text.replaceAll(/\n[ \t]+/g, ' ').split('\n')) {
		rule = /^\[(.*)\]$/.exec(line)?.[1] ?? rule;
		const message = /^message = (.*)$/.exec(line)?.[1];
		if (message) all[rule] = message;
	}
	return all;
}

const in_ = (l, fn) => {
	language.set(l);
	return fn();
};
const thai = (text) => /[\u0e00-\u0e7f]/.test(text) && !/[a-z]{5}|[{}⟨]/.test(text);

const messages = messagesOf(readFileSync(rules, 'utf8'));
assert.ok(Object.keys(messages).length > 30);
assert.deepEqual(Object.keys(en).filter((k) => k.startsWith('told.')).sort(), [...Object.keys(messages), 'model-drift'].map((r) => `told.${r}`).sort());
for (const [rule, message] of Object.entries(messages)) {
	/* The English is the rule file's own, or nothing would be found again. */
	assert.equal(en[`told.${rule}`], message.replace('{subject}: ', '').replaceAll('degC', '°C'), rule);
	const a = {rule, subject: 'DC-KKN-01', value: 1234.5, threshold: 13.05,
		message: message.replace('{subject}', 'DC-KKN-01').replace('{value}', '1234.5').replace('{threshold}', '13.05')};
	const said = in_('th', () => whatOf(a));
	assert.ok(thai(said), `${rule}: ${said}`);
	for (const [name, shown] of [['{value}', '1,234.5'], ['{threshold}', '13.05']])
		assert.equal(said.includes(shown), message.includes(name), `${rule}: ${said}`);
}

let found = 0;
for (const line of readFileSync(0, 'utf8').trim().split('\n')) {
	const a = JSON.parse(line);
	const said = in_('th', () => whatOf(a));
	assert.ok(thai(said), `${a.message} -> ${said}`);
	assert.equal(in_('en', () => whatOf(a)).replaceAll(/[^\d.]/g, ''), a.message.slice(a.subject.length).replaceAll(/[^\d.]/g, ''));
	found++;
}
assert.ok(found > 10, `${found} alerts`);

const of = (rule, message) => ({rule, subject: 'DC-KKN-01', message: `DC-KKN-01: ${message}`});
language.set('th');
assert.equal(whatOf(of('jar-temperature-high', 'resolved, temperature is 31.2 degC')), 'อุณหภูมิสูง: สิ้นสุดแล้ว ขณะนี้ 31.2\u00a0°C');
assert.equal(whatOf(of('jar-rul-low', 'resolved, remaining useful life is 200 days')), 'อายุที่เหลือน้อย: สิ้นสุดแล้ว ขณะนี้ 200 วัน');
assert.equal(whatOf(of('jar-sensor-fault', 'sensor malfunction: voltage_range, stuck')), 'เซนเซอร์ทำงานผิดปกติ: แรงดันเกินช่วงวัด, ค่าค้าง');
assert.equal(whatOf(of('jar-open', 'resolved by anna')), 'ปิดโดย anna');
assert.equal(whatOf(of('model-drift', '6 of the 7 features of model aft-519e have moved away from its training, in 1944 batteries: t_mean_c (PSI 3.53, limit 0.89)')),
	'ข้อมูลเข้า 6 จาก 7 ชนิดของแบบจำลอง aft-519e ต่างจากที่ใช้ฝึก ในแบตเตอรี่ 1,944 ลูก: t_mean_c (PSI 3.53, limit 0.89)');
assert.equal(whatOf(of('hvac-fault', 'worded by somebody else')), 'เครื่องปรับอากาศผิดปกติ: worded by somebody else');
assert.equal(whatOf(of('our-own-rule', 'hotter than we like')), 'our own rule: hotter than we like');
assert.equal(titleOf({cause: 'hvac-fault', title: 'DC-CNX-01: air conditioning out of order (283 alerts)'}), 'DC-CNX-01: เครื่องปรับอากาศผิดปกติ (แจ้งเตือน 283 รายการ)');
assert.equal(titleOf({cause: 'our-own-rule', title: 'DC-CNX-01: our own (1 alert)'}), 'DC-CNX-01: our own (1 alert)');
assert.equal(figuresOf({rule: 'jar-temperature-high', value: 41.23456, threshold: 35}), '41.23 °C (ขีดจำกัด 35 °C)');
assert.equal(noteOf({type: 'scenario', note: 'heatwave 12'}), 'คลื่นความร้อน 12');
assert.equal(noteOf({type: 'hvac_failure', note: 'fault'}), 'ขัดข้อง');
assert.equal(noteOf({type: 'capacity_test', note: 'capacity test'}), '');
assert.equal(noteOf({type: 'corrective', note: 'strap renewed'}), 'strap renewed');
assert.equal(figuresOf({rule: 'hvac-fault', value: 3, threshold: 2}), null);
language.set('en');
assert.equal(whatOf(of('hvac-fault', 'worded by somebody else')), 'worded by somebody else');
assert.equal(whatOf(of('jar-temperature-high', 'jar at 41.6 degC, above 35 degC')), 'jar at 41.6\u00a0°C, above 35\u00a0°C');
assert.equal(titleOf({cause: 'hvac-fault', title: 'DC-CNX-01: air conditioning out of order (283 alerts)'}), 'DC-CNX-01: air conditioning out of order (283 alerts)');
