// A real Wechaty gateway (wechaty-puppet-service) over the mock puppet, steered by its parent.
//
// The parent writes one JSON command a line to stdin, {"n": 1, "do": "say", ...}, and reads lines that begin
// with "@": {"n": 1, "result": ...} or {"n": 1, "error": "..."}, and unasked {"said": {...}} for what the bot
// sent. The process ends when stdin closes, so that it never outlives a killed test run.
//
// Start-up settings come as JSON in the first argument: token, port, tls (null for none, {} for Wechaty's
// default certificate, {cert, key} for an own one), login, rooms [{id, topic, members}], people {id: name}.
import { createInterface } from 'node:readline'
import { FileBox } from 'file-box'
import { puppet as grpc } from 'wechaty-grpc'
import * as PUPPET from 'wechaty-puppet'
import { mock, PuppetMock } from 'wechaty-puppet-mock'
import { PuppetServer } from 'wechaty-puppet-service'

const BOT = 'bot'
const settings = JSON.parse(process.argv[2])
const defaults = {
  ids: true, // sends answer with the message's id
  own: true, // what the bot sends comes back as an event
  payloadDelay: 0, // ms at most, at random, before a message's payload is handed out
  payloadFailures: 0, // so many payload requests fail first
  sendDelay: 0, // ms between saying and answering
  sendError: '', // the puppet fails with this text
}
const behaviour = { ...defaults }
const pictures = new Map()
let serial = 0
let events // the service's event stream manager, for events that no puppet would emit

const tell = object => process.stdout.write('@' + JSON.stringify(object) + '\n')
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

class SteeredPuppet extends PuppetMock {
  async messageRawPayload (id) {
    if (behaviour.payloadDelay) await sleep(Math.random() * behaviour.payloadDelay)
    if (behaviour.payloadFailures > 0) {
      behaviour.payloadFailures--
      throw new Error('payload not ready')
    }
    return super.messageRawPayload(id)
  }

  async messageImage (id) { return picture(id) }
  async messageFile (id) { return picture(id) }

  async messageSendText (conversation, text, mentions) {
    return send(conversation, { mentions: mentions || [], text, type: PUPPET.types.Message.Text })
  }

  async messageSendFile (conversation, file) {
    return send(conversation, {
      mentions: [], name: file.name, picture: await file.toBase64(), text: '', type: PUPPET.types.Message.Image,
    })
  }
}

const mocker = new mock.Mocker()
const puppet = new SteeredPuppet({ mocker })
puppet.on('error', () => {}) // an error event without a listener would end the process

function picture (id) {
  if (!pictures.has(id)) throw new Error('no picture for ' + id)
  return FileBox.fromBase64(pictures.get(id), id + '.png')
}

function person (id, name) {
  if (!mocker.cacheContactPayload.has(id)) mocker.createContact({ id, name: name || id })
  return mocker.ContactMock.load(id)
}

function room (id, topic, members = []) {
  for (const member of [BOT, ...members]) person(member)
  if (!mocker.cacheRoomPayload.has(id)) {
    mocker.createRoom({ id, memberIdList: [BOT, ...members], topic: topic || id })
  }
  return mocker.RoomMock.load(id)
}

function keep ({ id, room: roomId, sender, text, mentions, type, timestamp }) {
  const payload = {
    id: id || 'm' + process.pid + '-' + ++serial, mentionIdList: mentions || [],
    talkerId: sender, text: text || '', timestamp: timestamp ?? Date.now(), type: type ?? PUPPET.types.Message.Text,
  }
  if (roomId) payload.roomId = roomId
  else payload.listenerId = BOT
  mocker.cacheMessagePayload.set(payload.id, payload)
  return payload.id
}

async function send (conversation, { mentions, name, picture: bytes, text, type }) {
  if (!puppet.isLoggedIn) throw new Error('not logged in')
  if (behaviour.sendError) throw new Error(behaviour.sendError)
  const isRoom = mocker.cacheRoomPayload.has(conversation)
  if (!isRoom && !mocker.cacheContactPayload.has(conversation)) throw new Error('no conversation ' + conversation)
  const id = keep({ mentions, room: isRoom ? conversation : '', sender: BOT, text, type })
  if (bytes) pictures.set(id, bytes)
  tell({ said: { id, mentions, name, person: isRoom ? '' : conversation, picture: bytes, room: isRoom ? conversation : '', text } })
  if (behaviour.own) puppet.emit('message', { messageId: id })
  if (behaviour.sendDelay) await sleep(behaviour.sendDelay)
  return behaviour.ids ? id : undefined
}

const commands = {
  again: ({ id }) => { puppet.emit('message', { messageId: id }) },
  behave: ({ settings }) => { Object.assign(behaviour, settings) },
  emit: ({ event, payload }) => { puppet.emit(event, payload) },
  join: ({ people, room: id, inviter }) => { room(id).add(...people.map(p => person(p))).by(person(inviter)) },
  leave: ({ people, room: id, remover }) => { room(id).remove(...people.map(p => person(p))).by(person(remover)) },
  login: () => { puppet.login(BOT) },
  logout: () => puppet.logout(),
  nothing: () => {},
  person: async ({ id, name }) => {
    const known = person(id, name)
    if (known.payload.name === name) return
    known.payload.name = name
    await puppet.dirtyPayload(PUPPET.types.Payload.Contact, id)
  },
  picture: ({ base64, ...message }) => {
    const id = commands.say({ ...message, silent: true, type: PUPPET.types.Message.Image })
    pictures.set(id, base64)
    puppet.emit('message', { messageId: id })
    return id
  },
  raw: ({ type, payload }) => {
    const response = new grpc.EventResponse()
    response.setType(type)
    response.setPayload(payload)
    events.eventStream.write(response)
  },
  reset: () => { Object.assign(behaviour, defaults) },
  room: ({ id, topic, members }) => { room(id, topic, members) },
  say: message => {
    person(message.sender)
    if (message.room) room(message.room)
    const id = keep(message)
    if (!message.silent) puppet.emit('message', { messageId: id })
    return id
  },
  say_many: ({ messages }) => messages.map(message => commands.say(message)),
  scan: ({ url }) => { mocker.scan(url) },
  topic: async ({ room: id, topic, changer }) => {
    room(id).topic(topic).by(person(changer))
    await puppet.dirtyPayload(PUPPET.types.Payload.Room, id)
  },
}

async function main () {
  const manager = await import(new URL(
    './node_modules/wechaty-puppet-service/dist/esm/src/server/event-stream-manager.js', import.meta.url))
  const start = manager.EventStreamManager.prototype.start
  manager.EventStreamManager.prototype.start = function (stream) { events = this; return start.call(this, stream) }

  person(BOT, '小格')
  for (const [id, name] of Object.entries(settings.people || {})) person(id, name)
  for (const known of settings.rooms || []) room(known.id, known.topic, known.members)
  mocker.use(() => {
    if (settings.login) puppet.login(BOT)
    return () => {}
  })
  const server = new PuppetServer({
    endpoint: '127.0.0.1:' + settings.port,
    puppet,
    tls: settings.tls ? { serverCert: settings.tls.cert, serverKey: settings.tls.key } : { disable: true },
    token: settings.token,
  })
  await server.start()

  const lines = createInterface({ input: process.stdin })
  lines.on('close', () => process.exit(0))
  lines.on('line', async line => {
    const command = JSON.parse(line)
    try {
      tell({ n: command.n, result: await commands[command.do](command) ?? null })
    } catch (error) {
      tell({ error: String(error && error.message), n: command.n })
    }
  })
  tell({ ready: true })
}

main().catch(error => { console.error(error); process.exit(1) })
