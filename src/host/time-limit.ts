/**
 * A signal that is aborted with another one, or so many milliseconds from now. `AbortSignal.any()` with `AbortSignal.timeout()` is no
 * such thing: nobody holds the clock's signal, so Node 20 may collect it, and the time never comes. The clock keeps no process alive.
 */
export function withTimeLimit(signal: AbortSignal, milliseconds: number): AbortSignal {
  const controller = new AbortController();
  const stop = () => controller.abort(signal.reason);
  const end = () => {
    signal.removeEventListener('abort', stop);
    controller.abort(new DOMException('The time is up', 'TimeoutError'));
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  setTimeout(end, milliseconds).unref(); // it holds the controller until then
  return controller.signal;
}
