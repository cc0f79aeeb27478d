import { Window } from "happy-dom";
import { act, type ReactNode } from "react";

export type TestPage = {
  readonly element: HTMLElement;
  readonly text: () => string;
  show(content: ReactNode): Promise<void>;
  /** What a person or a program does on the page. */
  does(work: () => void | Promise<unknown>): Promise<void>;
  press(label: string): Promise<void>;
  /** Resolves when it is so; looked at whenever something may have changed. */
  until(isSo: () => boolean): Promise<void>;
  /** Leaves the page; nothing of the browser is left behind. */
  close(): Promise<void>;
};

/**
 * A page of `url` with real React in it. Only the DOM is a browser's: `fetch` stays Node's, so that requests are real ones.
 * The names of a browser are taken back with {@link TestPage.close}, for the test files that run in the same process.
 */
export async function openPage(url = "https://calls.example.com/"): Promise<TestPage> {
  const window = new Window({ url });
  const { document, location, localStorage, navigator, HTMLIFrameElement } = window;
  const browser = { window, document, location, localStorage, navigator, HTMLIFrameElement };
  const restore = withGlobals({ ...browser, IS_REACT_ACT_ENVIRONMENT: true });
  // Only now: when it is loaded it looks whether there is a browser.
  const { createRoot } = await import("react-dom/client");
  const element = globalThis.document.createElement("div");
  globalThis.document.body.append(element);
  const root = createRoot(element);

  return {
    element,
    text: () => element.textContent ?? "",
    show: (content) => does(() => root.render(content)),
    does,
    async press(label) {
      const button = [...element.querySelectorAll("button")].find(({ textContent }) => textContent === label);
      if (!button) throw new Error(`No button ${label}: ${element.innerHTML}`);
      await does(() => button.click());
    },
    async until(isSo) {
      const late = AbortSignal.timeout(5_000);
      while (!isSo()) {
        if (late.aborted) throw new Error(`It did not come to that: ${element.innerHTML}`);
        await act(() => new Promise((resolve) => void setTimeout(resolve, 1)));
      }
    },
    async close() {
      await does(() => root.unmount());
      restore();
      await window.happyDOM.close();
    },
  };

  async function does(work: () => void | Promise<unknown>): Promise<void> {
    await act(async () => void (await work()));
  }
}

function withGlobals(globals: Readonly<Record<string, unknown>>): () => void {
  const before = Object.keys(globals).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else Reflect.deleteProperty(globalThis, name);
    }
  };
}
