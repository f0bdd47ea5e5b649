/*
 * What an alert says and what an incident is called, in the reader's language. They are
 * stored in English, as the rules word them: what is so worded by a rule that is known
 * here is said in the page's words, with the same values; the rest as it is stored.
 */
import {english, figure, known, language, number, t, words} from './i18n.js';

/* How an alert may have ended or been held, whatever its rule. */
const ENDS = ['end.by', 'end.shelved', 'end.idle', 'end.replaced', 'end.no_rule', 'end.drift', 'end.value'];
/* Where the words of a value are that is no number. */
const READINGS = ['hvac', 'mode', 'quality', 'flag', 'progress'];

const patterns = new Map();

/* What the English words of a key look like with their values in them. */
function patternOf(key) {
	if (!patterns.has(key)) {
		const literal = english(key).replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&');
		patterns.set(key, new RegExp(`^${literal.replaceAll(/\{(\w+)\}/g, '(?<$1>.+?)')}$`));
	}
	return patterns.get(key);
}

/* A number with its unit, or words of a record: '31.2 °C', 'voltage_range, stuck'. */
function reading(text) {
	const [, n, decimals = '', unit] = /^(-?\d+(?:\.(\d+))?)(?: (.+))?$/.exec(text) ?? [];
	if (n === undefined) {
		return text.split(', ').map((w) => {
			const prefix = READINGS.find((p) => known(`${p}.${w}`));
			return prefix ? t(`${prefix}.${w}`) : w;
		}).join(', ');
	}
	const own = number(Number(n), decimals.length);
	return unit ? `${own} ${known(`unit.${unit}`) ? t(`unit.${unit}`) : unit}` : own;
}

/* The page's words for a text of a rule; null where it has none. */
function reworded(rule, text) {
	for (const key of [`told.${rule}`, ...ENDS]) {
		const found = known(key) && patternOf(key).exec(text);
		if (!found) continue;
		const {by, what, ...values} = found.groups ?? {};
		return t(key, {...Object.fromEntries(Object.entries(values).map(([k, v]) => [k, reading(v)])),
			by, what: language.get() === 'en' ? what : words('rule', rule)});
	}
	return null;
}

/* A number and its unit stay on one line. */
const together = (text) => text.replaceAll(/(\d) (?=[%°AKV]|mA|(?:min|s)\b)/g, '$1\u00a0');

/* An alert's message without its subject, which stands beside it. */
export function whatOf(a) {
	const bare = a.message.startsWith(`${a.subject}: `) ? a.message.slice(a.subject.length + 2) : a.message;
	const text = bare.replaceAll(' degC', ' °C');
	return together(reworded(a.rule, text) ?? (language.get() === 'en' ? text : `${words('rule', a.rule)}: ${text}`));
}

export const messageOfAlert = (a) => `${a.subject}: ${whatOf(a)}`;

/* An alert's value and limit with their unit; null where a number says nothing. */
export function figuresOf(a) {
	const unit = /\{value\} (°C|K|V|A|mA\/Ah|%|min|s|days)(?=[ ,:]|$)/.exec(english(`told.${a.rule}`))?.[1];
	if (known(`told.${a.rule}`) && !unit) return null;
	const put = (v) => `${figure(v)} ${known(`unit.${unit}`) ? t(`unit.${unit}`) : unit ?? ''}`;
	return `${put(a.value)} (${t('alert.threshold')} ${put(a.threshold)})`;
}

/* 'DC-CNX-01: air conditioning out of order (283 alerts)'. */
export function titleOf(i) {
	const [, subject, n] = /^(\S+): .* \((\d+) alerts?\)$/.exec(i.title) ?? [];
	return language.get() === 'en' || !n || !known(`rule.${i.cause}`) ? i.title :
		t('incident.title', {subject, cause: t(`rule.${i.cause}`), n: number(Number(n))});
}

/* What an event's note adds to its type: people's words as they are, the simulator's own
 * ('heatwave 2', 'fault') in the page's. */
export function noteOf(e) {
	const [, name, n = ''] = /^(\w+)( [\d.]+)?$/.exec(e.note ?? '') ?? [];
	if (!e.note || e.note === english(`event.${e.type}`)) return '';
	if (e.type === 'scenario' && known(`scenario.${name}`)) return `${t(`scenario.${name}`)}${n}`;
	return known(`hvac.${e.note}`) ? t(`hvac.${e.note}`) : e.note;
}
