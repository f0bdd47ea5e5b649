/* Small drawings in SVG, as wide as there is room and with words as big as the page's:
 * boxes by site, remaining life, replacements, factors. */
import {days, number, t} from './i18n.js';
import {html, useEffect, useRef, useState} from './html.js';

const scale = (from, to, a, b) => (v) => a + (b - a) * (to === from ? 0.5 : (v - from) / (to - from));

/* Round numbers that span from..to. */
export function ticks(from, to, about = 5) {
	const raw = (to - from) / about || 1, power = 10 ** Math.floor(Math.log10(raw));
	const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999);
	const first = Math.ceil(from / step) * step;
	return Array.from({length: Math.floor((to - first) / step + 1e-9) + 1}, (_, i) => first + i * step);
}

const ROOT_PX = 14; /* what one unit of a drawing is by: so much makes a rem */

/* draw(width) gives {height, marks}; drawn again when there is more or less room. */
function Plot({label, draw}) {
	const box = useRef(null), [width, setWidth] = useState(0);
	useEffect(() => {
		const element = box.current;
		const measure = () => setWidth(Math.max(240,
			element.clientWidth * ROOT_PX / parseFloat(getComputedStyle(document.documentElement).fontSize)));
		const observer = new ResizeObserver(measure);
		observer.observe(element);
		measure();
		return () => observer.disconnect();
	}, []);
	const drawn = width && draw(width);
	return html`<div class="plot" ref=${box}>${drawn && html`<svg viewBox="0 0 ${width} ${drawn.height}" role="img"
		aria-label=${label}>${drawn.marks}</svg>`}</div>`;
}

const LEFT = 92, ROW = 28;

/* items: [{site, n, min, q1, median, q3, max, outliers: [{value}]}] */
export function Boxes({items, label, digits = 0, unit}) {
	const seen = items.filter((i) => i.median !== null);
	const values = seen.flatMap((i) => [i.min, i.max, ...(i.outliers ?? []).map((o) => o.value)]);
	const from = Math.min(...values), to = Math.max(...values);
	if (seen.length === 0) return html`<p class="muted">${t('nothing')}</p>`;
	return html`<${Plot} label=${label} draw=${(width) => {
		const x = scale(from, to, LEFT, width - 18), height = seen.length * ROW + 26;
		return {height, marks: html`${ticks(from, to).map((v) => html`<g key=${v}>
				<line class="axis" x1=${x(v)} x2=${x(v)} y1="4" y2=${height - 20} />
				<text x=${x(v)} y=${height - 5} text-anchor="middle">${number(v, digits)}</text></g>`)}
			${seen.map((i, k) => {
				const y = k * ROW + 16;
				return html`<g key=${i.site}><text class="strong" x="0" y=${y + 4}>${i.site}</text>
					<line class="whisker" x1=${x(i.min)} x2=${x(i.max)} y1=${y} y2=${y} />
					<rect class="box" x=${x(i.q1)} width=${Math.max(x(i.q3) - x(i.q1), 1)} y=${y - 8} height="16" />
					<line class="median" x1=${x(i.median)} x2=${x(i.median)} y1=${y - 8} y2=${y + 8} />
					${(i.outliers ?? []).map((o) => html`<circle class="out" cx=${x(o.value)} cy=${y} r="3" />`)}
					<title>${`${i.site}: ${t('median')} ${number(i.median, digits)} ${unit} (${number(i.q1, digits)}–${number(i.q3, digits)}), ${i.n}`}</title></g>`;
			})}`};
	}} />`;
}

const BASE = 150, YEAR_PX = 40;

/* Replacements by quarter: what is expected, and what it might be at worst. */
export function Quarters({items, label}) {
	const worst = (i) => Math.max(i.due, i.due_by_lower ?? 0);
	return html`<${Plot} label=${label} draw=${(width) => {
		const w = width / Math.max(items.length, 1), y = scale(0, Math.max(1, ...items.map(worst)), BASE, 20);
		const yearly = (i, k) => quarter(i) === 'Q1' || (k === 0 && (w > YEAR_PX || quarter(items[1] ?? i) !== 'Q1'));
		const [year, quarter] = [(i) => i.quarter.slice(0, 4), (i) => i.quarter.slice(-2)];
		return {height: BASE + 38, marks: html`<line class="axis" x1="0" x2=${width} y1=${BASE} y2=${BASE} />
			${items.map((i, k) => html`<g key=${i.quarter}>
				<rect class="column sure" x=${k * w + w * 0.14} width=${w * 0.72} y=${y(i.due_by_lower ?? 0)} height=${BASE - y(i.due_by_lower ?? 0)} />
				<rect class="column" x=${k * w + w * 0.24} width=${w * 0.52} y=${y(i.due)} height=${BASE - y(i.due)} />
				<text class="strong" x=${k * w + w / 2} y=${y(i.due) - 5} text-anchor="middle">${number(i.due)}</text>
				${y(i.due) - y(worst(i)) > 14 && html`<text x=${k * w + w / 2} y=${y(worst(i)) - 5} text-anchor="middle">${number(worst(i))}</text>`}
				<text x=${k * w + w / 2} y=${BASE + 17} text-anchor="middle">${quarter(i)}</text>
				${yearly(i, k) && html`<text class="strong" x=${k * w + w / 2} y=${BASE + 33} text-anchor="middle">${year(i)}</text>`}
				<title>${t('forecast.bar', {quarter: i.quarter, due: number(i.due), worst: number(i.due_by_lower)})}</title></g>`)}`};
	}} />`;
}

/* Round years, months or days up to 'most' days, where 'room' has room: [[days, words]]. */
function lifeTicks(most, room) {
	const [unit, key] = most > 900 ? [365.25, 'days.years'] : most > 180 ? [30.44, 'days.months'] : [1, 'days.days'];
	return ticks(0, most / unit, Math.max(1, Math.min(5, Math.floor(room / 90)))).map((v) => [v * unit, v === 0 ? '0' : t(key, {n: number(v, v % 1 ? 1 : 0)})]);
}

const LIFE_LEFT = 108, LIFE_ROW = 36;

/* Remaining life of each source, with its interval. sources: [{name, rul_days, lower_days, upper_days}] */
export function Lives({sources, label}) {
	const most = Math.max(90, ...sources.map((s) => s.upper_days ?? s.rul_days ?? 0));
	return html`<${Plot} label=${label} draw=${(width) => {
		const x = scale(0, most, LIFE_LEFT, width - 28), height = sources.length * LIFE_ROW + 22;
		return {height, marks: html`${lifeTicks(most, width - LIFE_LEFT).map(([v, words]) => html`<g key=${v}>
				<line class="axis" x1=${x(v)} x2=${x(v)} y1="2" y2=${height - 18} />
				<text x=${x(v)} y=${height - 4} text-anchor="middle">${words}</text></g>`)}
			${sources.map((s, k) => {
				const y = k * LIFE_ROW + 18, at = x(s.rul_days), right = at > width * 0.72;
				return html`<g key=${s.name}><text class="strong" x="0" y=${y + 4}>${t(`source.${s.name}`)}</text>
					<rect class="span" x=${x(s.lower_days ?? 0)} width=${Math.max(x(s.upper_days ?? 0) - x(s.lower_days ?? 0), 2)} y=${y - 10} height="20" rx="3" />
					<rect class="mark" x=${at - 2} width="4" y=${y - 12} height="24" />
					<text class="strong" x=${at + (right ? -8 : 8)} y=${y + 4} text-anchor=${right ? 'end' : 'start'}>${days(s.rul_days)}</text>
					<title>${`${t(`source.${s.name}`)}: ${days(s.rul_days)} (${days(s.lower_days)} – ${days(s.upper_days)})`}</title></g>`;
			})}`};
	}} />`;
}

const FACTOR_LEFT = 110, FACTOR_ROW = 26;

/* What lengthens or shortens a life, in per cent. factors: [[name, pct]] */
export function Factors({factors, label}) {
	const most = Math.max(5, ...factors.map(([, pct]) => Math.abs(pct)));
	return html`<${Plot} label=${label} draw=${(width) => {
		const x = scale(-most, most, FACTOR_LEFT + 44, width - 52);
		return {height: factors.length * FACTOR_ROW + 4, marks: html`
			<line class="axis" x1=${x(0)} x2=${x(0)} y1="0" y2=${factors.length * FACTOR_ROW} />
			${factors.map(([name, pct], k) => html`<g key=${name}>
				<text class="strong" x="0" y=${k * FACTOR_ROW + 17}>${t(`factor.${name}`)}</text>
				<rect class=${pct < 0 ? 'minus' : 'plus'} x=${Math.min(x(0), x(pct))} width=${Math.max(Math.abs(x(pct) - x(0)), 1)} y=${k * FACTOR_ROW + 4} height="18" />
				<text x=${x(pct) + (pct < 0 ? -5 : 5)} y=${k * FACTOR_ROW + 17} text-anchor=${pct < 0 ? 'end' : 'start'}>${pct > 0 ? '+' : ''}${number(pct)} %</text></g>`)}`};
	}} />`;
}
