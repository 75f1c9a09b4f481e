export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

export interface WasmTable {
  readonly length: number;
  set(index: number, value: unknown): void;
  grow(by: number): number;
}

interface WasmInstance<Exports> {
  readonly exports: Exports;
}

/** The parts of WebAssembly in use. Typed here, because TypeScript knows it only together with the whole DOM. */
export const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Memory: new (size: { initial: number; maximum: number }) => WasmMemory;
    readonly Table: new (type: { element: 'anyfunc'; initial: number }) => WasmTable;
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new <Exports>(module: object, imports: object) => WasmInstance<Exports>;
  };
};
