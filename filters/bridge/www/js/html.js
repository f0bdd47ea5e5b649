/* preact and htm under one roof. */
import {h} from '../vendor/preact.js';
import htm from '../vendor/htm.js';

export {render, createContext} from '../vendor/preact.js';
export {useState, useEffect, useRef, useMemo, useCallback, useContext} from '../vendor/hooks.js';
export const html = htm.bind(h);
