import {
  EVENT_CHECKS,
  RmkError,
  type Bus,
  type EventCheck,
  type EventName,
  type InvalidField,
  type RmkEvent,
  type RmkEvents,
  type Topic,
} from '@rmk/core';
import { EventEmitter } from 'eventemitter3';
import type { DeclaredEvents } from './declaredEvents.js';
import { Sampling } from '../supervision/sampling.js';
import { refuseNoFunction, type Scope } from '../scope/scope.js';
import { Stopwatch } from '../supervision/stopwatch.js';

/** An event as the bus delivers it: it has been given its source and its sequence number. */
interface Stamped {
  source: string;
  sequence: number;
}

type Unstamped = Partial<Stamped>;

type Handle = (event: Stamped) => unknown;

class Subscription {
  constructor(
    /** Replaced by {@link nothing} on disposal: a delivery that is under way need not ask. */
    public handle: Handle,
    readonly scope: Scope,
  ) {}
}

function nothing(): void {}

function enlist(this: Subscription, list: Subscription[]): void {
  if (this.handle !== nothing) list.push(this);
}

/**
 * All subscriptions to one event. The emitter of the bus is the registry: who listens to what, in which order. Events
 * are delivered from an array beside it: measured against `emit` that takes half the time with one subscriber and no
 * longer with many, with the isolation included. A delivery that is under way keeps the array, and the length, that it
 * began with.
 *
 * A subscription that is disposed of stays in both, doing nothing, until the next delivery or until half of them are
 * such: so disposing of one takes constant time on average, and what is kept is bounded by what is subscribed.
 */
class Channel {
  subscriptions: Subscription[] = [];
  /** How many of {@link subscriptions} were disposed of. Never all of them. */
  disposed = 0;
  /** Topics of plugins that have not stopped. */
  topics = 0;
  /** The one subscription where there is but one, which is delivered to without a loop. */
  only: Subscription | undefined;
  readonly sampling = new Sampling();
  /** Undefined for events of third parties. */
  readonly check: EventCheck | undefined;

  constructor(
    readonly name: EventName,
    private readonly registry: EventEmitter<EventName>,
  ) {
    this.check = EVENT_CHECKS.get(name);
  }

  get isUnused(): boolean {
    return this.topics === 0 && this.subscriptions.length === 0;
  }

  add(handle: Handle, scope: Scope): Subscription {
    const subscription = new Subscription(handle, scope);
    this.registry.on(this.name, enlist, subscription);
    // In place: a delivery that is under way goes as far as the list was long when it began.
    this.subscriptions.push(subscription);
    this.only = this.subscriptions.length === 1 ? subscription : undefined;
    return subscription;
  }

  remove(subscription: Subscription): void {
    subscription.handle = nothing;
    this.disposed += 1;
    if (this.disposed * 2 >= this.subscriptions.length) this.compact();
  }

  compact(): void {
    const list: Subscription[] = [];
    this.registry.emit(this.name, list);
    this.registry.removeAllListeners(this.name);
    for (const subscription of list) this.registry.on(this.name, enlist, subscription);
    this.subscriptions = list;
    this.disposed = 0;
    this.only = list.length === 1 ? list[0] : undefined;
  }
}

/** The bus of a domain. Plugins and the host each see it through a {@link ScopedBus} of their own. */
export class EventBus {
  readonly stopwatch = new Stopwatch();
  private readonly registry = new EventEmitter<EventName>();
  /** Of the events that somebody listens to or has a topic of. */
  private readonly channels = new Map<EventName, Channel>();
  /** Channels that became unused while events were queued. */
  private readonly unused: Channel[] = [];
  /** Events that subscribers have published, and where each has to go: arrays that are used again and again. */
  private readonly queuedEvents: (Stamped | undefined)[] = [];
  private readonly queuedFor: (Channel | undefined)[] = [];
  private head = 0;
  private tail = 0;
  /** Of the event published last. Events are delivered as they are published, so it ascends in both orders. */
  private sequence = 0;
  delivering = false;

  constructor(private readonly declared: DeclaredEvents) {}

  /**
   * How many events have a channel, and how many subscriptions are kept in all, those included that were disposed of.
   */
  get size(): { readonly channels: number; readonly subscriptions: number } {
    const subscriptions = Array.from(this.channels.values(), (channel) => channel.subscriptions.length);
    return {
      channels: this.channels.size,
      subscriptions: subscriptions.reduce((sum, count) => sum + count, 0),
    };
  }

  /** Throws `RMK_ERR_EVENT` if nobody declares the event that `scope` asks for. */
  refuseUndeclared(name: EventName, scope: Scope): void {
    this.declared.refuseUndeclared(name, scope.name);
  }

  subscribe(name: EventName, handle: Handle, scope: Scope): Disposable {
    const channel = this.channel(name);
    const subscription = channel.add(handle, scope);
    return {
      [Symbol.dispose]: () => {
        channel.remove(subscription);
        this.dropIfUnused(channel);
      },
    };
  }

  /** The channel of a topic, until {@link releaseTopic}. */
  topicChannel(name: EventName): Channel {
    const channel = this.channel(name);
    channel.topics += 1;
    return channel;
  }

  releaseTopic(channel: Channel): void {
    channel.topics -= 1;
    this.dropIfUnused(channel);
  }

  private channel(name: EventName): Channel {
    let channel = this.channels.get(name);
    if (channel === undefined) {
      channel = new Channel(name, this.registry);
      this.channels.set(name, channel);
    }
    return channel;
  }

  /**
   * It is made again when somebody asks for it. Not while events are queued: one may be for those who subscribe before.
   */
  private dropIfUnused(channel: Channel): void {
    if (!channel.isUnused) return;
    if (this.tail > 0) this.unused.push(channel);
    else if (this.channels.get(channel.name) === channel) this.channels.delete(channel.name);
  }

  /**
   * Stamps an event of `scope` and delivers it; where another one is being delivered, when its turn comes. Not part of
   * `publish` of the topic, so that this remains small enough to be inlined where nobody listens.
   */
  accept(channel: Channel, event: Unstamped, scope: Scope): void {
    if (event.sequence !== undefined) throw publishedBefore(channel, event.sequence, scope);
    const invalid = channel.check?.(event);
    if (invalid !== undefined) throw invalidEvent(channel, invalid, scope);
    event.source = scope.name;
    event.sequence = this.sequence += 1;
    if (this.delivering) this.enqueue(channel, event as Stamped);
    else if (channel.only === undefined) this.dispatch(channel, event as Stamped);
    else this.dispatchToOne(channel, channel.only, event as Stamped);
  }

  /**
   * For what host time decides: such an event has the number of the one before it, so that the numbers of all others do
   * not depend on how fast the host is.
   */
  publishUnnumbered<E extends EventName>(name: E, event: RmkEvents[E] & Unstamped, source: string): void {
    const channel = this.channels.get(name);
    if (channel === undefined || channel.subscriptions.length === 0) return;
    event.source = source;
    event.sequence = this.sequence;
    if (this.delivering) this.enqueue(channel, event as Stamped);
    else this.dispatch(channel, event as Stamped);
  }

  private enqueue(channel: Channel, event: Stamped): void {
    this.queuedFor[this.tail] = channel;
    this.queuedEvents[this.tail] = event;
    this.tail += 1;
  }

  /** Delivers an event, and then what its subscribers published, in the order in which they did. */
  private dispatch(channel: Channel, event: Stamped): void {
    this.delivering = true;
    try {
      this.deliver(channel, event);
      if (this.tail > 0) this.drain();
    } finally {
      // A stack that overflows just here must not silence the bus.
      this.delivering = false;
    }
  }

  /** As `dispatch`, in one piece for the commonest case, one subscriber: so it takes three quarters of the time. */
  private dispatchToOne(channel: Channel, subscription: Subscription, event: Stamped): void {
    this.delivering = true;
    try {
      try {
        if (this.isTimed(channel)) deliverTimed(channel, event);
        else {
          const result = subscription.handle(event);
          if (result !== undefined) subscription.scope.settle(result, channel.name, event.sequence);
        }
      } catch (error) {
        subscription.scope.fault(channel.name, event.sequence, error);
      }
      if (this.tail > 0) this.drain();
    } finally {
      this.delivering = false;
    }
  }

  private drain(): void {
    while (this.head < this.tail) {
      const channel = this.queuedFor[this.head];
      const event = this.queuedEvents[this.head];
      this.queuedFor[this.head] = this.queuedEvents[this.head] = undefined;
      this.head += 1;
      if (channel !== undefined && event !== undefined) this.deliver(channel, event);
    }
    this.head = this.tail = 0;
    for (const channel of this.unused.splice(0)) this.dropIfUnused(channel);
  }

  private deliver(channel: Channel, event: Stamped): void {
    if (channel.disposed > 0) channel.compact();
    if (this.isTimed(channel)) deliverTimed(channel, event);
    else deliver(channel, event);
  }

  /** Whether this delivery is: one in so many, and each within what is being timed. */
  private isTimed({ sampling }: Channel): boolean {
    if ((sampling.untilTimed -= 1) > 0) return this.stopwatch.timing;
    sampling.timed();
    return true;
  }
}

/** Hands an event to each subscriber. By index, with the length read once: that is measurably faster here. */
function deliver(channel: Channel, event: Stamped): void {
  const { subscriptions } = channel;
  const { length } = subscriptions;
  for (let index = 0; index < length; index++) {
    const subscription = subscriptions[index] as Subscription;
    const { handle } = subscription;
    try {
      const result = handle(event);
      if (result !== undefined) subscription.scope.settle(result, channel.name, event.sequence);
    } catch (error) {
      subscription.scope.fault(channel.name, event.sequence, error);
    }
  }
}

function deliverTimed({ subscriptions, name }: Channel, event: Stamped): void {
  const { length } = subscriptions;
  for (let index = 0; index < length; index++) {
    const { scope, handle } = subscriptions[index] as Subscription;
    scope.attemptTimed(name, event.sequence, handle, event);
  }
}

class ScopedTopic<E extends EventName> implements Topic<E> {
  constructor(
    private readonly bus: EventBus,
    readonly channel: Channel,
    private readonly scope: Scope,
  ) {}

  get observed(): boolean {
    return this.channel.subscriptions.length > 0;
  }

  publish(event: RmkEvents[E] & Unstamped): void {
    const { bus, channel, scope } = this;
    if (!bus.delivering && channel.subscriptions.length === 0) return;
    // What is left of a plugin that was stopped or quarantined has no say any more.
    if (scope.closed === undefined) bus.accept(channel, event, scope);
  }
}

/** A second stamp would change the event for those who keep it and those who have not received it yet. */
function publishedBefore({ name }: Channel, sequence: number, scope: Scope): RmkError {
  return new RmkError(
    'RMK_ERR_INPUT',
    `${scope.name}: this ${name} was published before, with the sequence number ${sequence}: publish a new event, without source and sequence`,
    { plugin: scope.name },
  );
}

/** Subscribers compute with what an event carries, so an invalid one would fail there, and be their fault. */
function invalidEvent({ name }: Channel, { field, value, expected }: InvalidField, scope: Scope): RmkError {
  return new RmkError(
    'RMK_ERR_INPUT',
    `${scope.name}: ${name} was published with an invalid ${field}: expected ${expected}, given ${shown(value)}`,
    { plugin: scope.name },
  );
}

/** Objects by their type only, since printing one can run code of the publisher. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
    ? typeof value
    : String(value);
}

/** The bus as one plugin sees it: what it publishes carries its name, what it subscribes to is released with it. */
export class ScopedBus implements Bus {
  /** Each made once, however often it is asked for. */
  private readonly topics = new Map<EventName, ScopedTopic<EventName>>();

  constructor(
    private readonly bus: EventBus,
    private readonly scope: Scope,
  ) {
    scope.whenClosed(() => this.releaseTopics());
  }

  topic<E extends EventName>(name: E): Topic<E> {
    this.bus.refuseUndeclared(name, this.scope);
    let topic = this.topics.get(name);
    if (topic === undefined) {
      topic = new ScopedTopic(this.bus, this.bus.topicChannel(name), this.scope);
      this.topics.set(name, topic);
      // What is left of a plugin may still ask: it gets a topic that does nothing.
      if (this.scope.closed !== undefined) this.releaseTopics();
    }
    return topic;
  }

  on<E extends EventName>(name: E, handle: (event: RmkEvent<E>) => void | Promise<void>): Disposable {
    refuseNoFunction(handle, `on(${name})`);
    const handleAny = handle as Handle;
    this.bus.refuseUndeclared(name, this.scope);
    return this.scope.register(name, () => this.bus.subscribe(name, handleAny, this.scope));
  }

  private releaseTopics(): void {
    for (const { channel } of this.topics.values()) this.bus.releaseTopic(channel);
    this.topics.clear();
  }
}
