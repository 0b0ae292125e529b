import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { startTestRedis, type TestRedis } from './redis.ts'

describe('startTestRedis', () => {
  const started: { redis: TestRedis; client: Redis }[] = []

  async function start(options = {}) {
    const redis = await startTestRedis(options)
    const client = new Redis(redis.url, { retryStrategy: () => 20, maxRetriesPerRequest: null })
    client.on('error', () => {})
    started.push({ redis, client })
    return { redis, client }
  }

  afterEach(async () => {
    for (const { redis, client } of started.splice(0)) {
      client.disconnect()
      await redis.stop()
    }
  })

  it('keeps what it is given, evicts nothing and listens on no other address', async () => {
    const { client } = await start()
    await client.set('round', '42')
    expect(await client.get('round')).toBe('42')
    expect(await client.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction'])
    expect(await client.config('GET', 'bind')).toEqual(['bind', '127.0.0.1'])
  })

  it('has, when durable, every acknowledged write after a kill -9 and a restart on the same port', async () => {
    const { redis, client } = await start({ durable: true })
    await client.set('receipt', '1034521')
    const { pid, port } = redis
    await redis.kill()
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    await redis.restart()
    expect(redis.port).toBe(port)
    expect(redis.pid).not.toBe(pid)
    expect(await client.get('receipt')).toBe('1034521')
  })

  it('forgets everything in a kill -9 when it is not durable', async () => {
    const { redis, client } = await start()
    await client.set('receipt', '1034521')
    await redis.kill()
    await redis.restart()
    expect(await client.get('receipt')).toBeNull()
  })

  it('answers nobody while it is paused, and everybody afterwards', async () => {
    const { redis, client } = await start()
    await client.ping()
    redis.pause()
    let answered = false
    const answer = client.ping().then((pong) => {
      answered = true
      return pong
    })
    const impatient = new Redis(redis.url, { lazyConnect: true, commandTimeout: 50 })
    impatient.on('error', () => {})
    await expect(impatient.ping()).rejects.toThrow('timed out')
    impatient.disconnect()
    expect(answered).toBe(false)
    redis.resume()
    expect(await answer).toBe('PONG')
  })

  it('stops even while it is paused, and may be stopped twice', async () => {
    const { redis } = await start()
    const { pid } = redis
    redis.pause()
    await redis.stop()
    await redis.stop()
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    await expect(redis.restart()).rejects.toThrow('stopped for good')
  })
})
