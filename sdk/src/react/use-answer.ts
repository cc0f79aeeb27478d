import { useCallback, useEffect, useRef, useState } from "react";

/** What a hook knows of an answer: null until there is one, and again when something else is asked for. */
export type Answer<T> = {
  readonly answer: T | null;
  readonly loading: boolean;
  readonly error: unknown;
  /** Asks again and clears the error. */
  readonly refresh: () => void;
  /** Asks again without showing it: once more after a request that is under way, however often it is called. */
  readonly reload: () => void;
  /** Changes what is shown until the next question; an answer to one that was asked before is changed as well. */
  readonly patch: (change: (answer: T) => T) => void;
};

type Wanted = { readonly source: unknown; readonly key: string };
type Known<T> = { readonly of: Wanted; readonly answer: T | null; readonly loading: boolean; readonly error: unknown };
type Progress<T> = { isLoading: boolean; isAsked: boolean; patches: ((answer: T) => T)[] };

/**
 * Loads what `source` and `key` name, anew when one of them changes. An answer that comes after that is dropped: nobody sees
 * the call of one user under the name of another.
 */
export function useAnswer<T>(wanted: Wanted & { readonly load: (signal: AbortSignal) => Promise<T> }): Answer<T> {
  const { source, key } = wanted;
  const [known, setKnown] = useState<Known<T>>(() => nothingOf({ source, key }));
  const [turn, setTurn] = useState(0);
  const load = useRef(wanted.load);
  const progress = useRef<Progress<T>>({ isLoading: false, isAsked: false, patches: [] });

  // While rendering, not in an effect, so that not even one frame shows the answer to the question before.
  let shown = known;
  if (known.of.source !== source || known.of.key !== key) {
    shown = nothingOf({ source, key });
    setKnown(shown);
  }

  useEffect(() => {
    load.current = wanted.load;
  });

  useEffect(() => {
    const leaving = new AbortController();
    progress.current = { isLoading: true, isAsked: false, patches: [] };
    const settle = (changes: Partial<Known<T>>) => {
      if (leaving.signal.aborted) return;
      setKnown((before) => ({ ...before, ...changes, loading: false }));
      progress.current.isLoading = false;
      if (progress.current.isAsked) setTurn((turn) => turn + 1);
    };
    load.current(leaving.signal).then(
      (answer) =>
        settle({ answer: progress.current.patches.reduce((known, change) => change(known), answer), error: null }),
      (error: unknown) => settle({ error }),
    );
    return () => leaving.abort();
  }, [source, key, turn]);

  const refresh = useCallback(() => {
    setKnown((before) => ({ ...before, loading: true, error: null }));
    setTurn((turn) => turn + 1);
  }, []);
  const reload = useCallback(() => {
    if (progress.current.isLoading) progress.current.isAsked = true;
    else setTurn((turn) => turn + 1);
  }, []);
  const patch = useCallback(
    (change: (answer: T) => T) => {
      if (progress.current.isLoading) progress.current.patches.push(change);
      setKnown((before) => {
        const isOurs = before.of.source === source && before.of.key === key;
        return isOurs && before.answer !== null ? { ...before, answer: change(before.answer) } : before;
      });
    },
    [source, key],
  );
  return { answer: shown.answer, loading: shown.loading, error: shown.error, refresh, reload, patch };
}

function nothingOf<T>(of: Wanted): Known<T> {
  return { of, answer: null, loading: true, error: null };
}
