/* The page's words in the reader's language, and numbers and times as written there. */
import en from './lang/en.js';
import th from './lang/th.js';
import {keep, Store, useStore} from './store.js';

export const LANGUAGES = {en: 'English', th: 'ไทย'};
const WORDS = {en, th};

const preferred = navigator.language?.startsWith('th') ? 'th' : 'en';
export const language = new Store(keep.get('language', preferred));

const put = (l) => { document.documentElement.lang = l; };
put(language.get());
language.watch((l) => {
	keep.set('language', l);
	put(l);
});
export const useLanguage = () => useStore(language);

/* The words of a key; {name} in them is replaced, and {name:day:days} is the word for one
 * or for more. A key without words or a word without its value is an error seen at once, in
 * the test and on the page. */
export function t(key, values = {}) {
	const words = WORDS[language.get()][key] ?? `⟨${key}⟩`;
	return words.replace(/\{(\w+):([\w ]+):([\w ]+)\}/g, (_, name, one, more) => String(values[name]) === '1' ? one : more)
		.replace(/\{(\w+)\}/g, (_, name) => name in values ? values[name] ?? '' : `⟨${name}⟩`);
}

export const known = (key) => key in en;
/* The English words as they stand, whatever the reader's language. */
export const english = (key) => en[key];

/* The words of a rule, cause or reason, or itself where there are none. */
export const words = (prefix, name) => known(`${prefix}.${name}`) ? t(`${prefix}.${name}`) :
	(name ?? '–').replaceAll(/[-_]/g, ' ');

const locale = () => language.get() === 'th' ? 'th-TH-u-ca-gregory' : 'en-GB';
const missing = (v) => v === null || v === undefined || Number.isNaN(v);

export function number(v, digits = 0) {
	return missing(v) ? '–' : new Intl.NumberFormat(locale(),
		{minimumFractionDigits: digits, maximumFractionDigits: digits}).format(v);
}

/* As many digits as a person would say. */
export const figure = (v) => missing(v) ? '–' :
	new Intl.NumberFormat(locale(), {maximumSignificantDigits: 4}).format(v);

export const withUnit = (v, digits, unit) => missing(v) ? '–' : `${number(v, digits)} ${unit}`;

export function date(time) {
	return time ? new Intl.DateTimeFormat(locale(), {dateStyle: 'medium'}).format(new Date(time)) : '–';
}

export function dateTime(time) {
	return time ? new Intl.DateTimeFormat(locale(),
		{dateStyle: 'medium', timeStyle: 'short'}).format(new Date(time)) : '–';
}

/* A span of days in the unit a person would use. */
export function days(v) {
	if (missing(v)) return '–';
	if (v < 0.5) return t('days.none');
	if (v < 120) return t('days.days', {n: number(v)});
	if (v < 730) return t('days.months', {n: number(v / 30.44)});
	return t('days.years', {n: number(v / 365.25, 1)});
}

export function ago(ms) {
	if (ms < 90e3) return t('age.seconds', {n: number(Math.max(0, ms / 1e3))});
	if (ms < 90 * 60e3) return t('age.minutes', {n: number(ms / 60e3)});
	if (ms < 48 * 3600e3) return t('age.hours', {n: number(ms / 3600e3)});
	return t('age.days', {n: number(ms / 86400e3)});
}
