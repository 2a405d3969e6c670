// ../../../tmp/peer-TGjI0z/micrograd/engine.ts
var Value = class Value {
	data;
	grad = 0;
	label;
	prev;
	op;
	constructor(data, params = {}) {
		this.data = data;
		this.op = params?.op ?? null;
		this.label = params?.label ?? "";
		this.prev = params?.prev ?? [];
	}
	toVal(v) {
		return typeof v === "number" ? new Value(v) : v;
	}
	backwardStep() {}
	add(v) {
		const other = this.toVal(v);
		const out = new Value(this.data + other.data, {
			prev: [this, other],
			op: "+"
		});
		out.backwardStep = () => {
			this.grad += 1 * out.grad;
			other.grad += 1 * out.grad;
		};
		return out;
	}
	sub(v) {
		const other = this.toVal(v);
		const out = new Value(this.data - other.data, {
			prev: [this, other],
			op: "-"
		});
		out.backwardStep = () => {
			this.grad += 1 * out.grad;
			other.grad += -1 * out.grad;
		};
		return out;
	}
	mul(v) {
		const other = this.toVal(v);
		const out = new Value(this.data * other.data, {
			prev: [this, other],
			op: "*"
		});
		out.backwardStep = () => {
			this.grad += other.data * out.grad;
			other.grad += this.data * out.grad;
		};
		return out;
	}
	div(v) {
		const other = this.toVal(v);
		const out = new Value(this.data / other.data, {
			prev: [this, other],
			op: "/"
		});
		out.backwardStep = () => {
			this.grad += 1 / other.data * out.grad;
			other.grad += -this.data / other.data ** 2 * out.grad;
		};
		return out;
	}
	pow(other) {
		if (typeof other !== "number") throw new Error("Only supporting int/float powers");
		const out = new Value(this.data ** other, {
			prev: [this],
			op: "^"
		});
		out.backwardStep = () => {
			this.grad += other * this.data ** (other - 1) * out.grad;
		};
		return out;
	}
	exp() {
		const out = new Value(Math.exp(this.data), {
			prev: [this],
			op: "e"
		});
		out.backwardStep = () => {
			this.grad += out.data * out.grad;
		};
		return out;
	}
	tanh() {
		const out = new Value(Math.tanh(this.data), {
			prev: [this],
			op: "tanh"
		});
		out.backwardStep = () => this.grad += (1 - out.data ** 2) * out.grad;
		return out;
	}
	relu() {
		const reluVal = this.data < 0 ? 0 : this.data;
		const out = new Value(reluVal, {
			prev: [this],
			op: "relu"
		});
		out.backwardStep = () => this.grad += (out.data > 0 ? 1 : 0) * out.grad;
		return out;
	}
	backward() {
		const topo = [];
		const visited = /* @__PURE__ */ new Set();
		const buildTopo = (v) => {
			if (visited.has(v)) return;
			visited.add(v);
			for (const parent of v.prev) buildTopo(parent);
			topo.push(v);
		};
		buildTopo(this);
		topo.reverse();
		this.grad = 1;
		for (const node of topo) node.backwardStep();
	}
};
const v = (d, p = {}) => new Value(d, p);
export { Value, v };
