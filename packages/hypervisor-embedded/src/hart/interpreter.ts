import { executeAtomic, NO_EXCEPTION } from './atomic.js';
import {
  combineOrBytes,
  countOrExtend,
  isCountOrExtend,
  reverseBytes,
  rotateRight,
} from './bitManipulation.js';
import { EXPANDED } from './compressed.js';
import type { DeviceBus } from '../devices/deviceBus.js';
import { NO_RESERVATION, type HartState } from './hartState.js';
import { loadMisaligned, storeMisaligned } from './misaligned.js';
import { multiplyHighSigned, multiplyHighSignedUnsigned, multiplyHighUnsigned } from './multiply.js';
import { ExceptionCause } from './privileged.js';
import type { HartMemory, Processor, Stop } from './processor.js';
import { runHart, type Executor } from './runHart.js';
import { executeSystem, SystemOutcome } from './system.js';
import { takeException } from './trap.js';

const LOAD = 0x03;
const MISC_MEM = 0x0f;
const OP_IMM = 0x13;
const AUIPC = 0x17;
const STORE = 0x23;
const AMO = 0x2f;
const OP = 0x33;
const LUI = 0x37;
const BRANCH = 0x63;
const JALR = 0x67;
const JAL = 0x6f;
const SYSTEM = 0x73;

/**
 * Decodes each instruction as it comes. The plain meaning of the instruction set, which a faster processor is checked
 * against.
 */
export class Interpreter implements Processor, Executor {
  hasJumped = false;

  constructor(
    readonly state: HartState,
    private readonly memory: HartMemory,
    private readonly devices: DeviceBus,
  ) {}

  run(untilCycle: number): Stop {
    return runHart(this.state, untilCycle, this);
  }

  /**
   * Executes `budget` instructions, or fewer where one may change what interrupts are deliverable, makes the hart wait
   * or exit, or raises an exception. Takes the exception; gives whether there was one. `untilJump`: no further than to
   * where a jump leads, or a branch back; {@link hasJumped} says whether there was one.
   */
  execute(budget: number, untilJump = false): boolean {
    this.hasJumped = false;
    const { state, memory, devices } = this;
    const { x } = state;
    const { u8, i8, u16, i16, i32, pageState } = memory;
    const base = memory.base | 0;
    const size = memory.bytes >>> 0;
    const start = state.cycles;
    // The `?? 0` are for the type checker: masked and checked indices always hit, and compiled code has no trace of
    // them. Within the loop pc and addresses are offsets into RAM; what is not below `size` is elsewhere.
    let pc = (state.pc - base) | 0;
    let reserved = (state.reservation - base) | 0;
    let count = 0;
    let cause: ExceptionCause | typeof NO_EXCEPTION = NO_EXCEPTION;
    let value = 0;

    loop: for (; count < budget; count += 1) {
      if (pc >>> 0 >= size) {
        cause = ExceptionCause.INSTRUCTION_ACCESS_FAULT;
        value = pc + base;
        break;
      }
      let word = i32[pc >>> 2] ?? 0;
      let next = (pc + 4) | 0;
      if (((pc & 2) | (~word & 3)) !== 0) {
        // Not a whole aligned word: compressed, or across two words.
        if ((pc & 2) !== 0) word = (word >>> 16) | ((i32[(pc >>> 2) + 1] ?? 0) << 16);
        if ((word & 3) !== 3) {
          word = EXPANDED[word & 0xffff] ?? 0;
          next = (pc + 2) | 0;
        } else if (next >>> 0 > size) {
          cause = ExceptionCause.INSTRUCTION_ACCESS_FAULT;
          value = base + size;
          break;
        }
      }
      switch (word & 0x7f) {
        case OP_IMM: {
          const rd = (word >>> 7) & 31;
          const a = x[(word >>> 15) & 31] ?? 0;
          const immediate = word >> 20;
          let result: number;
          switch ((word >>> 12) & 7) {
            case 0: // ADDI
              result = (a + immediate) | 0;
              break;
            case 1:
              switch (word >>> 25) {
                case 0x00: // SLLI
                  result = a << (immediate & 31);
                  break;
                case 0x14: // BSETI
                  result = a | (1 << (immediate & 31));
                  break;
                case 0x24: // BCLRI
                  result = a & ~(1 << (immediate & 31));
                  break;
                case 0x34: // BINVI
                  result = a ^ (1 << (immediate & 31));
                  break;
                case 0x30: // CLZ, CTZ, CPOP, SEXT.B, SEXT.H
                  if (!isCountOrExtend(immediate & 31)) {
                    cause = ExceptionCause.ILLEGAL_INSTRUCTION;
                    value = word;
                    break loop;
                  }
                  result = countOrExtend(immediate & 31, a);
                  break;
                default:
                  cause = ExceptionCause.ILLEGAL_INSTRUCTION;
                  value = word;
                  break loop;
              }
              break;
            case 2: // SLTI
              result = a < immediate ? 1 : 0;
              break;
            case 3: // SLTIU
              result = a >>> 0 < immediate >>> 0 ? 1 : 0;
              break;
            case 4: // XORI
              result = a ^ immediate;
              break;
            case 5:
              if (word >>> 25 === 0) {
                result = (a >>> (immediate & 31)) | 0; // SRLI
              } else if (word >>> 25 === 0x20) {
                result = a >> (immediate & 31); // SRAI
              } else if (word >>> 25 === 0x30) {
                result = rotateRight(a, immediate); // RORI
              } else if (word >>> 25 === 0x24) {
                result = (a >>> (immediate & 31)) & 1; // BEXTI
              } else if (word >>> 20 === 0x287) {
                result = combineOrBytes(a); // ORC.B
              } else if (word >>> 20 === 0x698) {
                result = reverseBytes(a); // REV8
              } else {
                cause = ExceptionCause.ILLEGAL_INSTRUCTION;
                value = word;
                break loop;
              }
              break;
            case 6: // ORI
              result = a | immediate;
              break;
            default: // ANDI
              result = a & immediate;
          }
          if (rd !== 0) x[rd] = result;
          pc = next;
          continue;
        }
        case OP: {
          const rd = (word >>> 7) & 31;
          const a = x[(word >>> 15) & 31] ?? 0;
          const b = x[(word >>> 20) & 31] ?? 0;
          let result: number;
          switch (((word >>> 22) & 0x3f8) | ((word >>> 12) & 7)) {
            case 0x000: // ADD
              result = (a + b) | 0;
              break;
            case 0x100: // SUB
              result = (a - b) | 0;
              break;
            case 0x001: // SLL
              result = a << (b & 31);
              break;
            case 0x002: // SLT
              result = a < b ? 1 : 0;
              break;
            case 0x003: // SLTU
              result = a >>> 0 < b >>> 0 ? 1 : 0;
              break;
            case 0x004: // XOR
              result = a ^ b;
              break;
            case 0x005: // SRL
              result = (a >>> (b & 31)) | 0;
              break;
            case 0x105: // SRA
              result = a >> (b & 31);
              break;
            case 0x006: // OR
              result = a | b;
              break;
            case 0x007: // AND
              result = a & b;
              break;
            case 0x008: // MUL
              result = Math.imul(a, b);
              break;
            case 0x009: // MULH
              result = multiplyHighSigned(a, b);
              break;
            case 0x00a: // MULHSU
              result = multiplyHighSignedUnsigned(a, b);
              break;
            case 0x00b: // MULHU
              result = multiplyHighUnsigned(a, b);
              break;
            case 0x00c: // DIV; the most negative number over -1 comes out right by the |0
              result = b === 0 ? -1 : (a / b) | 0;
              break;
            case 0x00d: // DIVU
              result = b === 0 ? -1 : ((a >>> 0) / (b >>> 0)) | 0;
              break;
            case 0x00e: // REM
              result = b === 0 ? a : (a % b) | 0;
              break;
            case 0x00f: // REMU
              result = b === 0 ? a : ((a >>> 0) % (b >>> 0)) | 0;
              break;
            case 0x082: // SH1ADD
              result = ((a << 1) + b) | 0;
              break;
            case 0x084: // SH2ADD
              result = ((a << 2) + b) | 0;
              break;
            case 0x086: // SH3ADD
              result = ((a << 3) + b) | 0;
              break;
            case 0x104: // XNOR
              result = ~(a ^ b);
              break;
            case 0x106: // ORN
              result = a | ~b;
              break;
            case 0x107: // ANDN
              result = a & ~b;
              break;
            case 0x02c: // MIN
              result = a < b ? a : b;
              break;
            case 0x02d: // MINU
              result = a >>> 0 < b >>> 0 ? a : b;
              break;
            case 0x02e: // MAX
              result = a > b ? a : b;
              break;
            case 0x02f: // MAXU
              result = a >>> 0 > b >>> 0 ? a : b;
              break;
            case 0x181: // ROL
              result = rotateRight(a, -b);
              break;
            case 0x185: // ROR
              result = rotateRight(a, b);
              break;
            case 0x0a1: // BSET
              result = a | (1 << (b & 31));
              break;
            case 0x121: // BCLR
              result = a & ~(1 << (b & 31));
              break;
            case 0x125: // BEXT
              result = (a >>> (b & 31)) & 1;
              break;
            case 0x1a1: // BINV
              result = a ^ (1 << (b & 31));
              break;
            case 0x024: // ZEXT.H, whose second source is x0
              if (((word >>> 20) & 31) !== 0) {
                cause = ExceptionCause.ILLEGAL_INSTRUCTION;
                value = word;
                break loop;
              }
              result = a & 0xffff;
              break;
            default:
              cause = ExceptionCause.ILLEGAL_INSTRUCTION;
              value = word;
              break loop;
          }
          if (rd !== 0) x[rd] = result;
          pc = next;
          continue;
        }
        case LOAD: {
          const rd = (word >>> 7) & 31;
          const offset = ((x[(word >>> 15) & 31] ?? 0) + (word >> 20) - base) >>> 0;
          const operation = (word >>> 12) & 7;
          let result: number;
          if (offset < size) {
            switch (operation) {
              case 0: // LB
                result = i8[offset] ?? 0;
                break;
              case 1: // LH
              case 5: // LHU
                if ((offset & 1) === 0) {
                  result = (operation === 1 ? i16[offset >>> 1] : u16[offset >>> 1]) ?? 0;
                  break;
                }
                if (offset + 2 > size) {
                  cause = ExceptionCause.LOAD_ACCESS_FAULT;
                  value = base + size;
                  break loop;
                }
                result = loadMisaligned(memory, offset, 2);
                if (operation === 1) result = (result << 16) >> 16;
                break;
              case 2: // LW
                if ((offset & 3) === 0) {
                  result = i32[offset >>> 2] ?? 0;
                  break;
                }
                if (offset + 4 > size) {
                  cause = ExceptionCause.LOAD_ACCESS_FAULT;
                  value = base + size;
                  break loop;
                }
                result = loadMisaligned(memory, offset, 4);
                break;
              case 4: // LBU
                result = u8[offset] ?? 0;
                break;
              default:
                cause = ExceptionCause.ILLEGAL_INSTRUCTION;
                value = word;
                break loop;
            }
          } else {
            if (operation === 3 || operation > 5) {
              cause = ExceptionCause.ILLEGAL_INSTRUCTION;
              value = word;
              break loop;
            }
            state.cycles = start + count;
            const loaded = devices.load((offset + base) >>> 0, 1 << (operation & 3), state.cycles);
            if (loaded < 0) {
              cause = ExceptionCause.LOAD_ACCESS_FAULT;
              value = offset + base;
              break loop;
            }
            result =
              operation === 0 ? (loaded << 24) >> 24 : operation === 1 ? (loaded << 16) >> 16 : loaded | 0;
          }
          if (rd !== 0) x[rd] = result;
          pc = next;
          continue;
        }
        case STORE: {
          const offset =
            ((x[(word >>> 15) & 31] ?? 0) + (((word >> 25) << 5) | ((word >>> 7) & 31)) - base) >>> 0;
          const operation = (word >>> 12) & 7;
          const stored = x[(word >>> 20) & 31] ?? 0;
          if (operation > 2) {
            cause = ExceptionCause.ILLEGAL_INSTRUCTION;
            value = word;
            break loop;
          }
          if (offset >= size) {
            state.cycles = start + count;
            if (!devices.store((offset + base) >>> 0, 1 << operation, stored, state.cycles)) {
              cause = ExceptionCause.STORE_ACCESS_FAULT;
              value = offset + base;
              break loop;
            }
            pc = next;
            count += 1;
            break loop;
          }
          if ((offset & ((1 << operation) - 1)) !== 0) {
            const width = operation === 1 ? 2 : 4;
            if (offset + width > size) {
              cause = ExceptionCause.STORE_ACCESS_FAULT;
              value = base + size;
              break loop;
            }
            state.pc = (pc + base) | 0;
            state.cycles = start + count;
            storeMisaligned(memory, offset, width, stored);
            if ((offset & ~3) === reserved || ((offset + width - 1) & ~3) === reserved) {
              state.reservation = NO_RESERVATION;
              reserved = (NO_RESERVATION - base) | 0;
            }
            pc = next;
            continue;
          }
          if (pageState[offset >>> 12] !== 0) {
            state.pc = (pc + base) | 0;
            state.cycles = start + count;
            memory.beforeWrite(offset >>> 12, offset);
          }
          if (operation === 2) i32[offset >>> 2] = stored;
          else if (operation === 0) u8[offset] = stored;
          else u16[offset >>> 1] = stored;
          if ((offset & ~3) === reserved) {
            state.reservation = NO_RESERVATION;
            reserved = (NO_RESERVATION - base) | 0;
          }
          pc = next;
          continue;
        }
        case BRANCH: {
          const a = x[(word >>> 15) & 31] ?? 0;
          const b = x[(word >>> 20) & 31] ?? 0;
          let taken: boolean;
          switch ((word >>> 12) & 7) {
            case 0: // BEQ
              taken = a === b;
              break;
            case 1: // BNE
              taken = a !== b;
              break;
            case 4: // BLT
              taken = a < b;
              break;
            case 5: // BGE
              taken = a >= b;
              break;
            case 6: // BLTU
              taken = a >>> 0 < b >>> 0;
              break;
            case 7: // BGEU
              taken = a >>> 0 >= b >>> 0;
              break;
            default:
              cause = ExceptionCause.ILLEGAL_INSTRUCTION;
              value = word;
              break loop;
          }
          if (taken) {
            pc =
              (pc +
                (((word >> 31) << 12) |
                  ((word & 0x80) << 4) |
                  ((word >>> 20) & 0x7e0) |
                  ((word >>> 7) & 0x1e))) |
              0;
            if (untilJump && word < 0) {
              this.hasJumped = true;
              count += 1;
              break loop;
            }
          } else {
            pc = next;
          }
          continue;
        }
        case JAL: {
          const rd = (word >>> 7) & 31;
          const target =
            (pc +
              (((word >> 31) << 20) | (word & 0xff000) | ((word >>> 9) & 0x800) | ((word >>> 20) & 0x7fe))) |
            0;
          if (rd !== 0) x[rd] = next + base;
          pc = target;
          if (untilJump) {
            this.hasJumped = true;
            count += 1;
            break loop;
          }
          continue;
        }
        case JALR: {
          const rd = (word >>> 7) & 31;
          const target = (((x[(word >>> 15) & 31] ?? 0) + (word >> 20) - base) & ~1) | 0;
          if ((word & 0x7000) !== 0) {
            cause = ExceptionCause.ILLEGAL_INSTRUCTION;
            value = word;
            break loop;
          }
          if (rd !== 0) x[rd] = next + base;
          pc = target;
          if (untilJump) {
            this.hasJumped = true;
            count += 1;
            break loop;
          }
          continue;
        }
        case LUI: {
          const rd = (word >>> 7) & 31;
          if (rd !== 0) x[rd] = word & 0xfffff000;
          pc = next;
          continue;
        }
        case AUIPC: {
          const rd = (word >>> 7) & 31;
          if (rd !== 0) x[rd] = pc + base + (word & 0xfffff000);
          pc = next;
          continue;
        }
        case MISC_MEM:
          // FENCE and FENCE.I: one hart that decodes each instruction afresh sees all its stores in order.
          if (((word >>> 12) & 7) > 1) {
            cause = ExceptionCause.ILLEGAL_INSTRUCTION;
            value = word;
            break loop;
          }
          pc = next;
          continue;
        case AMO: {
          state.pc = (pc + base) | 0;
          state.cycles = start + count;
          cause = executeAtomic(state, memory, word);
          if (cause !== NO_EXCEPTION) {
            value = cause === ExceptionCause.ILLEGAL_INSTRUCTION ? word : (x[(word >>> 15) & 31] ?? 0);
            break loop;
          }
          reserved = (state.reservation - base) | 0;
          pc = next;
          continue;
        }
        case SYSTEM: {
          state.pc = (pc + base) | 0;
          state.cycles = start + count;
          const outcome = executeSystem(state, word);
          if (outcome === SystemOutcome.DONE) {
            pc = next;
            continue;
          }
          if (outcome === SystemOutcome.CHANGED) {
            pc = (state.pc - base) | 0;
            count += 1;
            break loop;
          }
          cause = outcome;
          if (cause === ExceptionCause.ILLEGAL_INSTRUCTION) value = word;
          else if (cause === ExceptionCause.BREAKPOINT) value = pc + base;
          break loop;
        }
        default:
          cause = ExceptionCause.ILLEGAL_INSTRUCTION;
          value = word;
          break loop;
      }
    }

    state.pc = (pc + base) | 0;
    state.cycles = start + count;
    if (cause === NO_EXCEPTION) return false;
    takeException(state, cause, value);
    return true;
  }
}
