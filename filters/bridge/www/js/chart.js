/*
 * A chart over time (uPlot). Gaps are gaps, a lone point is a dot, an outage is bridged
 * by no line. Drag or press to zoom, shift and arrows to pan; arrows move the cursor,
 * whose values are read out; a table of the same numbers stands behind.
 */
import uPlot from '../vendor/uplot.js';
import {dateTime, language, number, t} from './i18n.js';
import {inForce} from './theme.js';
import {useStore} from './store.js';
import {html, useEffect, useMemo, useRef, useState} from './html.js';

const HEIGHT = 15, ROOT_PX = 14, DAY_MS = 86400e3, GAP_STEPS = 2.5, TABLE_ROWS = 400, NEAR = 0.008, PAN = 0.25, ZOOM = 0.5;

/* Charts grow with the page's letters: by so much on this screen. */
const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);
const tall = () => Math.round(HEIGHT * rem());
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/* How far apart samples mostly are: the median. */
function usualStep(points) {
	const steps = points.slice(1).map((p, i) => p[0] - points[i][0]).sort((a, b) => a - b);
	return steps[steps.length >> 1] ?? 0;
}

/* Each series [[ms, value, least, greatest]] on one axis of times, in seconds; where
 * its own samples are further apart than they should be, a null splits the line. */
export function align(series, stepMs) {
	const times = new Set();
	const maps = series.map(({points}) => {
		const map = new Map(), limit = GAP_STEPS * Math.max(stepMs, usualStep(points));
		points.forEach(([ms, ...values], i) => {
			if (i > 0 && ms - points[i - 1][0] > limit) map.set((ms + points[i - 1][0]) / 2, []);
			map.set(ms, values);
		});
		for (const ms of map.keys()) times.add(ms);
		return map;
	});
	const x = [...times].sort((a, b) => a - b);
	const columns = [];
	series.forEach((s, k) => {
		/* undefined is no sample of this series, null is a gap in it. */
		const column = (i) => x.map((ms) => maps[k].has(ms) ? maps[k].get(ms)[i] ?? null : undefined);
		columns.push(column(0));
		if (s.band) columns.push(column(1), column(2));
	});
	return [x.map((ms) => ms / 1000), ...columns];
}

/* Points with nothing to be joined to. */
function lonePoints(u, i) {
	const v = u.data[i], lone = [];
	let before = null;
	for (let k = 0; k < v.length; k++) {
		if (v[k] === undefined) continue;
		let next = k + 1;
		while (next < v.length && v[next] === undefined) next++;
		const after = next < v.length ? v[next] : null;
		if (v[k] !== null && before === null && after === null) lone.push(k);
		before = v[k];
	}
	return lone;
}

function lines(series) {
	return series.flatMap((s) => {
		const stroke = colour(s.colour);
		const line = {label: s.name, stroke, width: 1.6 * rem() / ROOT_PX, dash: s.dash, points: {show: true, size: 6, fill: stroke, filter: lonePoints}};
		const edge = {stroke: 'transparent', width: 0, points: {show: false}};
		return s.band ? [line, edge, edge] : [line];
	});
}

function bands(series) {
	const all = [];
	let at = 1;
	for (const s of series) {
		if (s.band) all.push({series: [at + 2, at + 1], fill: colour('--band')});
		at += s.band ? 3 : 1;
	}
	return all;
}

/* Events and limits on the chart's ground. */
function drawMarks(u, {marks = [], limits = []}) {
	const {ctx, bbox} = u, ratio = devicePixelRatio;
	ctx.save();
	ctx.beginPath();
	ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
	ctx.clip();
	for (const m of marks) {
		const x = u.valToPos(m.from / 1000, 'x', true);
		const to = m.to ? u.valToPos(m.to / 1000, 'x', true) : x;
		ctx.fillStyle = colour(m.colour ?? '--warning');
		ctx.globalAlpha = 0.22;
		ctx.fillRect(x, bbox.top, Math.max(to - x, 1.5 * ratio), bbox.height);
		ctx.globalAlpha = 1;
		ctx.fillRect(x, bbox.top, Math.max(to - x, 4 * ratio), 4 * ratio);
	}
	ctx.setLineDash([6 * ratio, 4 * ratio]);
	ctx.strokeStyle = colour('--critical');
	for (const y of limits) {
		const at = u.valToPos(y, 'y', true);
		ctx.beginPath();
		ctx.moveTo(bbox.left, at);
		ctx.lineTo(bbox.left + bbox.width, at);
		ctx.stroke();
	}
	ctx.restore();
}

/* How a time is written under a chart of this length. */
function timeFormat(length) {
	return new Intl.DateTimeFormat(language.get() === 'th' ? 'th-TH-u-ca-gregory' : 'en-GB',
		length > 200 * DAY_MS ? {month: 'short', year: '2-digit'} :
			length > 2 * DAY_MS ? {day: 'numeric', month: 'short'} : {hour: '2-digit', minute: '2-digit'});
}

/* latest: a ref of what is shown now, for what comes after the chart was made. */
function options(latest, width, onSpan, onCursor) {
	const {p} = latest.current;
	const size = rem();
	const axis = {stroke: colour('--muted'), font: `${Math.round(size * 0.82)}px system-ui, sans-serif`, gap: 4, grid: {stroke: colour('--line'), width: 1},
		ticks: {stroke: colour('--line'), size: 4}};
	return {
		width, height: tall(), padding: [Math.round(rem() * 0.7), 12, 0, 0], legend: {show: false},
		cursor: {sync: p.sync && {key: p.sync}, drag: {x: true, y: false, setScale: false}, points: {size: 7}},
		scales: {x: {time: true, range: () => [latest.current.p.from / 1000, latest.current.p.to / 1000]},
			y: {range: (u, min, max) => uPlot.rangeNum(p.least ?? min, p.greatest ?? max, 0.08, true)}},
		axes: [{...axis, size: size * 2.1, space: size * 4.5, values: (u, all) => {
			const format = timeFormat(latest.current.p.to - latest.current.p.from);
			return all.map((s) => format.format(s * 1000));
		}},
			{...axis, size: size * 3.7, space: size * 2.4, values: (u, all) => all.map((v) => number(v, p.digits))}],
		series: [{}, ...lines(p.series)],
		bands: bands(p.series),
		hooks: {
			drawClear: [(u) => drawMarks(u, latest.current.p)],
			setCursor: [(u) => onCursor(u.cursor.idx)],
			setSelect: [(u) => {
				if (u.select.width < 4) return;
				const at = (px) => u.posToVal(px, 'x') * 1000;
				onSpan(at(u.select.left), at(u.select.left + u.select.width));
				u.setSelect({left: 0, top: 0, width: 0, height: 0}, false);
			}],
		},
	};
}

function readOut(data, p, i) {
	if (i === null || i === undefined || !data[0].length) return '';
	let at = 1;
	const values = p.series.map((s) => {
		const v = data[at][i];
		at += s.band ? 3 : 1;
		return v === undefined || v === null ? null : `${s.name} ${number(v, p.digits)} ${p.unit}`;
	}).filter(Boolean);
	const ms = data[0][i] * 1000, near = (p.to - p.from) * NEAR;
	const beside = (p.marks ?? []).filter((m) => ms > m.from - near && ms < (m.to || m.from) + near);
	return [`${dateTime(ms)}: ${values.join(', ') || t('chart.gap')}`, ...beside.slice(-2).map((m) => `▾ ${m.label}`)].join(' · ');
}

function Numbers({p}) {
	const [open, setOpen] = useState(false);
	const rows = open ? p.series.flatMap((s) => s.points.slice(-TABLE_ROWS).map(([ms, v]) => [ms, s.name, v]))
		.sort((a, b) => b[0] - a[0]).slice(0, TABLE_ROWS) : [];
	return html`<details class="data" onToggle=${(e) => setOpen(e.target.open)}><summary>${t('chart.table')}</summary>
		${open && html`<div class="scroll" tabindex="0" role="region" aria-label=${p.label}><table>
			<thead><tr><th scope="col">${t('time')}</th><th scope="col">${t('series')}</th>
				<th scope="col" class="number">${p.unit || t('value')}</th></tr></thead>
			<tbody>${rows.map(([ms, name, v]) => html`<tr key=${`${name}${ms}`}><td>${dateTime(ms)}</td><td>${name}</td>
				<td class="number">${number(v, p.digits)}</td></tr>`)}</tbody></table></div>`}</details>`;
}

/*
 * p: {label, unit, digits, from, to (ms), stepMs, series: [{name, colour, points, band?,
 * dash?}], marks?: [{from, to?, label, colour?}], limits?: [y], least?, greatest?, sync?,
 * onSpan(from, to) | onSpan(null)}
 */
export function TimeChart(p) {
	const box = useRef(null), plot = useRef(null), frame = useRef(0), cursor = useRef(null);
	const [said, setSaid] = useState('');
	const look = useStore(inForce), words = useStore(language);
	const data = useMemo(() => align(p.series, p.stepMs), [p.series, p.stepMs]);
	const latest = useRef(null);
	latest.current = {p, data};
	const shape = p.series.map((s) => `${s.name}${s.colour}${s.band}${s.dash}`).join();
	const say = (i) => {
		cursor.current = i;
		setSaid(readOut(latest.current.data, latest.current.p, i));
	};
	const span = (from, to) => latest.current.p.onSpan?.(from, to);
	useEffect(() => {
		const element = box.current, width = () => Math.max(element.clientWidth, 200);
		const u = new uPlot(options(latest, width(), span, say), data, element);
		plot.current = u;
		const observer = new ResizeObserver(() => u.setSize({width: width(), height: tall()}));
		observer.observe(element);
		return () => {
			observer.disconnect();
			cancelAnimationFrame(frame.current);
			u.destroy();
			plot.current = null;
		};
	}, [look, words, shape, p.digits]);
	/* However many samples came: one drawing a frame. */
	useEffect(() => {
		cancelAnimationFrame(frame.current);
		frame.current = requestAnimationFrame(() => plot.current?.setData(latest.current.data));
	}, [data, p.marks, p.from, p.to]);
	const onKey = (e) => {
		const length = p.to - p.from, n = data[0].length;
		const move = (by) => {
			const i = Math.min(Math.max((cursor.current ?? n - 1) + by, 0), n - 1);
			plot.current.setCursor({left: plot.current.valToPos(data[0][i], 'x'), top: tall() / 3});
		};
		const zoom = (f) => span(p.from + length * (1 - f) / 2, p.to - length * (1 - f) / 2);
		const pan = (d) => span(p.from + length * d, p.to + length * d);
		const does = {ArrowLeft: () => e.shiftKey ? pan(-PAN) : move(-1),
			ArrowRight: () => e.shiftKey ? pan(PAN) : move(1), '+': () => zoom(ZOOM), '=': () => zoom(ZOOM),
			'-': () => zoom(1 / ZOOM), '0': () => span(null)}[e.key];
		if (!does || (n === 0 && e.key.startsWith('Arrow') && !e.shiftKey)) return;
		e.preventDefault();
		does();
	};
	return html`<figure style=${{margin: 0}}>
		${p.series.length > 1 && html`<div class="legend">${p.series.map((s) => html`<span key=${s.name}>
			<i class=${s.dash ? 'dashed' : ''} style=${{borderColor: `var(${s.colour})`}}></i>${s.name}</span>`)}</div>`}
		<div class="chart" ref=${box} tabindex="0" role="application" aria-roledescription=${t('chart')}
			aria-label=${`${p.label}. ${t('chart.keys')}`} onKeyDown=${onKey} onDblClick=${() => span(null)}></div>
		<div class="readout" aria-live="polite">${said}</div>
		<${Numbers} p=${p} /></figure>`;
}
