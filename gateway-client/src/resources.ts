/**
 * What has to be closed at the end, in the reverse order of its opening: `AsyncDisposableStack`, which Node 22 does
 * not have yet, as far as this package needs it.
 */
export class Resources implements AsyncDisposable {
  private readonly closers: (() => unknown)[] = [];

  /** Takes over something disposable and returns it. */
  use<T extends Disposable | AsyncDisposable>(resource: T): T {
    this.defer(() =>
      Symbol.asyncDispose in resource ? resource[Symbol.asyncDispose]() : resource[Symbol.dispose](),
    );
    return resource;
  }

  /** Has something done at the end. */
  defer(closer: () => unknown): void {
    this.closers.push(closer);
  }

  /** Closes everything, even when closing one of them fails; the first failure is thrown at the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (const closer of this.closers.splice(0).reverse()) {
      try {
        await closer();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
