'use strict';

// What the tests run on: stage.py as a process of its own, and one Chromium.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { createInterface } = require('node:readline');
const { chromium } = require('playwright-core');

const TOP = path.resolve(__dirname, '../../..');
const OUT = path.join(TOP, 'build/pages');
const CHROMIUM = process.env.CHROMIUM || '/usr/bin/chromium';

function launch() {
  const args = ['--disable-dev-shm-usage']; // small in many containers
  if (process.getuid() === 0) args.push('--no-sandbox'); // Chromium's wants not to be root
  return chromium.launch({ executablePath: CHROMIUM, args });
}

class Stage {
  async open(name, ...more) {
    const folder = path.join(OUT, name);
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder, { recursive: true });
    this.log = path.join(folder, 'stage.log');
    const python = path.join(TOP, 'build/venv/bin/python');
    const log = fs.openSync(this.log, 'a');
    this.process = spawn(python, ['-B', path.join(TOP, 'tests/pages/stage.py'), folder, ...more], { stdio: ['pipe', 'pipe', log] });
    this.ended = new Promise((resolve) => { this.process.once('exit', resolve); });
    Object.assign(this, JSON.parse(await this.firstLine()));
    this.browser = await launch();
    this.clients = 0;
  }

  async firstLine() {
    for await (const line of createInterface({ input: this.process.stdout })) return line;
    throw new Error(`the stage did not open: ${fs.readFileSync(this.log, 'utf8')}`);
  }

  async close() {
    if (this.browser) await this.browser.close();
    this.process.stdin.end();
    await this.ended;
  }

  async ask(call, body = {}) {
    const answer = await fetch(`${this.control}/${call}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${call}: ${answer.status} (${this.log})`);
    return answer.json();
  }

  // A text of gitterd's table. One with arguments is a pattern.
  text(name) {
    const escape = (part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const parts = this.texts[name].replace(/`/g, '').split(/\{\w+\}/);
    return parts.length === 1 ? parts[0] : new RegExp(parts.map(escape).join('.*'));
  }
}

module.exports = { OUT, Stage, launch };
