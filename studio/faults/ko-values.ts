import type { Row } from "./tell-fault.ts";

/** What is said of values and trees of them, where they are made, read, differentiated and mapped. */
export const values: readonly Row[] = [
  // Facts, of whatever is named.
  ["{x:p} is {y:p}", "{x|은} {y}입니다."],
  ["{x:p} are {y:p}", "{x|은} {y}입니다."],
  ["{x:p} is no Value", "{x|은} Value가 아닙니다."],
  ["{x:p} is no record", "{x|은} 레코드가 아닙니다."],
  ["{x:p} is missing", "{x|이} 없습니다."],
  ["{x:p} is a type and has no value", "{x|은} 타입이라 값이 없습니다."],
  ["it has none", "아무것도 없습니다."],
  ["there are none", "아무것도 없습니다."],
  ["wanted {a:p}", "필요한 것: {a}."],
  ["wanted are {a:p}", "필요한 것: {a}."],
  ["missing {a:p}", "빠진 것: {a}."],
  ["unknown {a:p}", "모르는 것: {a}."],
  ["{x:p} is {t:t} instead of {u:t}", "{x|은} {u|이어야} 하는데 {t}입니다."],
  ["{x:p} is {t:t} instead of {u:t} and {n:w} more", "{x|은} {u|이어야} 하는데 {t}입니다. 그 밖에 {n}개가 더 있습니다."],
  ["{x:p} is {t:t} instead of {u:t}, {rest:s}", "{x|은} {u|이어야} 하는데 {t}입니다. {rest!}"],
  // Values, tensors and trees.
  ["operands are Values, Tensors, typed arrays and numbers", "피연산자는 Value, Tensor, 형식화 배열, 수입니다."],
  [
    "an operand is a list; a vector is tensor([1, 2]); operands are Values, Tensors, typed arrays and numbers",
    "피연산자가 목록입니다. 벡터는 tensor([1, 2])로 씁니다. 피연산자는 Value, Tensor, 형식화 배열, 수입니다.",
  ],
  [
    "{x:p} is a list; a vector is tensor([1, 2]); operands are Values, Tensors, typed arrays and numbers",
    "{x|이} 목록입니다. 벡터는 tensor([1, 2])로 씁니다. 피연산자는 Value, Tensor, 형식화 배열, 수입니다.",
  ],
  ["{x:w} is a list of operands: {g}", "{x|은} 피연산자의 목록입니다: {g}"],
  ["{a:p} is no option; there are {names}", "{a|은} 없는 옵션입니다. 있는 옵션: {names}."],
  ["what f takes comes in a second call: {g}", "f에 줄 값은 한 번 더 불러서 줍니다: {g}"],
  ["attributes are one record", "속성은 레코드 하나로 씁니다."],
  [
    "{f:w} takes {n:w} operands and one attribute record; {m:w} arguments were given",
    "{f|은} 피연산자 {n}개와 속성 레코드 하나를 받는데 인수를 {m}개 주었습니다.",
  ],
  ["{a:w} is no attribute; operands come first, in order", "{a|은} 속성이 아닙니다. 피연산자를 먼저 차례대로 쓰세요."],
  [
    "{a:w} is no attribute; there are none; operands come first, in order",
    "{a|은} 속성이 아니고, 여기에는 속성이 없습니다. 피연산자를 먼저 차례대로 쓰세요.",
  ],
  [
    "{a:w} is no attribute; there are {names}; operands come first, in order",
    "{a|은} 없는 속성입니다. 있는 속성: {names}. 피연산자를 먼저 차례대로 쓰세요.",
  ],
  ["a type is wanted and this is {a:p}; write f64(2, 3)", "타입을 써야 하는데 {a!}입니다. f64(2, 3)처럼 쓰세요."],
  ["{x:p} is no number; write mul(x, y), greater(x, 0), read(x)", "{x|은} 수가 아닙니다. mul(x, y), greater(x, 0), read(x)처럼 쓰세요."],
  ["the first argument is no function; write {g}", "첫째 인수가 함수가 아닙니다. {g|으로} 쓰세요."],
  ["give a Value or a Tensor", "Value나 Tensor를 주세요."],
  ["name the Values: { dx: x }", "Value에 이름을 붙이세요: { dx: x }"],
  ["the second argument is no engine; write wasm() or reference()", "둘째 인수가 엔진이 아닙니다. wasm()이나 reference()를 쓰세요."],
  ["the second argument is no function; write {g}", "둘째 인수가 함수가 아닙니다. {g|으로} 쓰세요."],
  ["the function returns nothing; it returns its outputs: {g}", "함수가 아무것도 돌려주지 않습니다. 출력을 돌려줘야 합니다: {g}"],
  ["the first argument is no graph; write graph(types, f)", "첫째 인수가 그래프가 아닙니다. graph(types, f)로 만드세요."],
  [
    '{a:w} is no name for an outside op; write "owner.name"',
    '{a|은} 밖에서 만든 연산의 이름으로 쓸 수 없습니다. "owner.name" 꼴로 쓰세요.',
  ],
  [
    "a Value comes from another copy of chainrule, and the two cannot share a graph; install one version (npm ls chainrule shows where each comes from), bundle it once, and import it by one name",
    "Value가 chainrule의 다른 사본에서 왔습니다. 두 사본은 그래프를 함께 쓸 수 없으니 한 버전만 설치하고(npm ls chainrule이 어디서 왔는지 보여 줍니다), 한 번만 묶고, 한 이름으로 가져오세요.",
  ],
  [
    "a Value is not data; pass evaluate(value), or use the Value as it is",
    "Value는 데이터가 아닙니다. evaluate(value)를 넘기거나 Value를 그대로 쓰세요.",
  ],
  ["{x:p} is {t:t}, with {n:w} elements; {m:w} were given", "{x|은} {t|이라} 원소가 {n}개인데 {m}개를 주었습니다."],
  ["{x:p} is {t}; the typed array given is {u:w}", "{x|은} {t}인데 준 형식화 배열은 {u}입니다."],
  ["{x:p} is {t}; {u} was given; write {g}", "{x|은} {t}인데 {u|을} 주었습니다. {g|으로} 쓰세요."],
  ["{x:p} is {t}; {u} was given", "{x|은} {t}인데 {u|을} 주었습니다."],
  ["data is {a:w}; use one of the numeric typed arrays", "데이터가 {a}입니다. 수를 담는 형식화 배열을 쓰세요."],
  [
    "64-bit integers are whole numbers, exact up to 2^53 here; use f64 or smaller numbers",
    "64비트 정수는 여기서 2^53까지의 정수만 정확합니다. f64나 더 작은 수를 쓰세요.",
  ],
  ["element {i:w} is {x:w}", "원소 {i|은} {x}입니다."],
  [
    "the tree is nested deeper than {n:w} at {at}; is it inside itself?",
    "트리가 {at}에서 {n}겹보다 깊이 중첩되었습니다. 자기 자신 안에 있나요?",
  ],
  [
    "trees are records and lists of Values, Tensors, types, typed arrays and numbers",
    "트리는 Value, Tensor, 타입, 형식화 배열, 수로 된 레코드와 목록입니다.",
  ],
  ["{x:p} is a type and has no value; give a Tensor or a number", "{x|은} 타입이라 값이 없습니다. Tensor나 수를 주세요."],
  ["two leaves are called {a}; rename a key that has dots in it", "두 잎의 이름이 {a|으로} 같습니다. 점이 든 키의 이름을 바꾸세요."],
  ["two inputs are called {a}; rename a key that has dots in it", "두 입력의 이름이 {a|으로} 같습니다. 점이 든 키의 이름을 바꾸세요."],
  ["two outputs are called {a}; rename a key that has dots in it", "두 출력의 이름이 {a|으로} 같습니다. 점이 든 키의 이름을 바꾸세요."],
  [
    "two parameters are called {a}; rename a key that has dots in it",
    "두 매개변수의 이름이 {a|으로} 같습니다. 점이 든 키의 이름을 바꾸세요.",
  ],
  ["outputs are Values", "출력은 Value입니다."],
  ["calling a graph takes Values, Tensors, typed arrays and numbers", "그래프를 부를 때는 Value, Tensor, 형식화 배열, 수를 줍니다."],
  [
    "{x:p} is {a:p}, which has no text form; graphs with it live in memory only",
    "{x|은} {a|이라} 글로 나타낼 수 없습니다. 이것이 든 그래프는 메모리에만 있습니다.",
  ],
  [
    "the function returned a promise; await before, and build inside, or set CHAINRULE_TRACE=1",
    "함수가 프라미스를 돌려주었습니다. 먼저 await 하고 안에서 그래프를 만들거나, CHAINRULE_TRACE=1을 설정하세요.",
  ],
  // Reading.
  [
    "{x:p} depends on input {a:w}, which has no value while a graph is built; use where, cond or whileLoop",
    "{x|은} 입력 {a}에 의존하는데, 그래프를 만드는 동안에는 그 값이 없습니다. where, cond, whileLoop을 쓰세요.",
  ],
  ["use evaluate(v).data", "evaluate(v).data를 쓰세요."],
  // Derivatives.
  ["transforms take Values, Tensors, typed arrays and numbers", "변환은 Value, Tensor, 형식화 배열, 수를 받습니다."],
  [
    "the function returned a promise; a transform's function must be synchronous (await before, and pass the data in)",
    "함수가 프라미스를 돌려주었습니다. 변환할 함수는 동기 함수여야 하니 먼저 await 하고 데이터를 인수로 넘기세요.",
  ],
  [
    'the function returned a record without a Value "loss"; return a scalar, or { loss, ... }',
    '함수가 돌려준 레코드에 Value인 "loss"가 없습니다. 스칼라나 { loss, ... }를 돌려주세요.',
  ],
  ["the function returned a type", "함수가 타입을 돌려주었습니다."],
  ["the function returned no Value", "함수가 Value를 돌려주지 않았습니다."],
  ["the function returned no single Value", "함수가 Value 하나를 돌려주지 않았습니다."],
  ["the jvp returned no single Value", "jvp가 Value 하나를 돌려주지 않았습니다."],
  ["it returns a Value of any shape, or a tree of them", "모양에 상관없이 Value나 Value의 트리를 돌려주어야 합니다."],
  ['return one, or a record with "loss"', 'Value 하나나 "loss"가 든 레코드를 돌려주세요.'],
  ["the function returned {t:t}", "함수가 {t|을} 돌려주었습니다."],
  ["the function returned {t:t} as {a:w}", "함수가 {a|으로} {t|을} 돌려주었습니다."],
  ["only floating-point values have derivatives", "실수 값에만 도함수가 있습니다."],
  ["truth values have no gradient: {g}", "참거짓 값에는 기울기가 없습니다: {g}"],
  ["integers have no gradient: {g}", "정수에는 기울기가 없습니다: {g}"],
  [
    "truth values have no gradient: pass it as a later argument, or close over it",
    "참거짓 값에는 기울기가 없습니다. 뒤의 인수로 넘기거나 함수 밖의 값으로 쓰세요.",
  ],
  [
    "integers have no gradient: pass it as a later argument, or close over it",
    "정수에는 기울기가 없습니다. 뒤의 인수로 넘기거나 함수 밖의 값으로 쓰세요.",
  ],
  ["wrt names {a:w}, and the first argument has no names", "wrt에 {a|이} 있는데 첫째 인수에는 이름이 없습니다."],
  ["wrt names {a:w}, and the first argument has {b:p}", "wrt에 {a|이} 있는데 첫째 인수에 있는 이름은 {b}입니다."],
  ["its rule gives {t} for operand {x:w}, which is {u}", "규칙이 피연산자 {x}({u})에 {t|을} 냅니다."],
  ["a cotangent has its operand's dtype", "코탄젠트의 자료형은 피연산자와 같아야 합니다."],
  ["{x:p} is {t} and its direction is {u}; they must have one dtype", "{x|은} {t}인데 방향은 {u}입니다. 자료형이 같아야 합니다."],
  ["its forward rule gives {t:w} for a {u:w} result", "순방향 규칙이 {u|이어야} 할 결과에 {t|을} 냅니다."],
  [
    "its batching rule gives nothing for {n:w} examples of {t:w}; wanted is {u:w}, the examples on axis 0",
    "배치 규칙이 {t}인 예 {n}개에 아무것도 내지 않습니다. 예가 축 0에 놓인 {u|을} 내야 합니다.",
  ],
  [
    "its batching rule gives {a:w} for {n:w} examples of {t:w}; wanted is {u:w}, the examples on axis 0",
    "배치 규칙이 {t}인 예 {n}개에 {a|을} 냅니다. 예가 축 0에 놓인 {u|을} 내야 합니다.",
  ],
  [
    'its rule says nothing of {x}; return an entry for it, or null for "no gradient"',
    "규칙에 {x|이} 없습니다. 그 항목을 돌려주거나, 기울기가 없으면 null을 돌려주세요.",
  ],
  [
    'the rule says nothing of {x}; return an entry for it, or null for "no gradient"',
    "규칙에 {x|이} 없습니다. 그 항목을 돌려주거나, 기울기가 없으면 null을 돌려주세요.",
  ],
  [
    "the jvp gives {t} and the function {u}; a tangent has its value's type",
    "jvp는 {t|을}, 함수는 {u|을} 냅니다. 탄젠트의 타입은 그 값과 같아야 합니다.",
  ],
  [
    "the rule gives {t} for {x:w}, which is {u}; a cotangent has its input's type",
    "규칙이 {x}({u})에 {t|을} 냅니다. 코탄젠트의 타입은 입력과 같아야 합니다.",
  ],
  ["the function takes one record of inputs", "함수는 입력을 모은 레코드 하나를 받아야 합니다."],
  [
    "the function uses the argument of a transform around it, which is not among its inputs, so its gradient would be lost; pass it as an input or wrap it in stopGradient",
    "함수가 자기 입력이 아닌 바깥 변환의 인수를 써서 그 기울기가 사라지게 됩니다. 입력으로 넘기거나 stopGradient로 감싸세요.",
  ],
  [
    "the function uses {x:w}, which is not among its inputs, so its gradient would be lost; pass it as an input or wrap it in stopGradient",
    "함수가 자기 입력이 아닌 {x|을} 써서 그 기울기가 사라지게 됩니다. 입력으로 넘기거나 stopGradient로 감싸세요.",
  ],
  [
    "the function is not linear: its derivative depends on {x:w}; linearize it at a point first, or use vjp",
    "함수가 선형이 아닙니다. 도함수가 {x}에 의존합니다. 먼저 한 점에서 linearize 하거나 vjp를 쓰세요.",
  ],
  [
    "the function is not linear: <ct, f(v)> is {a:w} and <transpose(ct), v> is {b:w} for one v and ct; an added constant or a rounding is not linear",
    "함수가 선형이 아닙니다. 한 v와 ct에서 <ct, f(v)>는 {a}, <transpose(ct), v>는 {b}입니다. 상수를 더하거나 반올림하면 선형이 아닙니다.",
  ],
  ["give data", "데이터를 주세요."],
  ["there is nothing to differentiate; the leaves are {a:p}", "미분할 것이 없습니다. 잎은 {a}입니다."],
  ["there is nothing to differentiate; the leaves are none", "미분할 것이 없습니다. 잎이 없습니다."],
  ["its kernel returned {n:w} elements for {t}, which has {m:w}", "커널이 {t}에 원소를 {n}개 돌려주었습니다. {m}개여야 합니다."],
  [
    "the call did not make one node of the op; give it as a function of tensors instead",
    "호출이 이 연산의 노드 하나를 만들지 않았습니다. 텐서의 함수로 주세요.",
  ],
  // Other transforms.
  [
    "one value is {t:w} and another is {u:t}; a sparse matrix has one dtype: cast inside the function",
    "한 값은 {t}, 다른 값은 {u}입니다. 희소 행렬의 자료형은 하나이니 함수 안에서 cast 하세요.",
  ],
  [
    "the pattern is of a {a:w} by {b:w} matrix and this one is {c:w} by {d:w}; find it anew with sparsity, or leave it out",
    "패턴은 {a} x {b} 행렬의 것인데 이 행렬은 {c} x {d}입니다. sparsity로 다시 찾거나 패턴을 빼세요.",
  ],
  ["pass Values, Tensors or typed arrays with the examples on axis 0", "축 0에 예가 놓인 Value, Tensor, 형식화 배열을 넘기세요."],
  [
    "{x:p} is {t:t}, a scalar, and has no axis 0 with the examples; close over what is the same for all of them",
    "{x|은} 스칼라({t})라 예가 놓인 축 0이 없습니다. 모든 예에 같은 값은 함수 밖의 값으로 쓰세요.",
  ],
  [
    "the arguments have no leaf to map over; pass at least one tensor with the examples on axis 0",
    "인수에 나누어 볼 잎이 없습니다. 축 0에 예가 놓인 텐서를 하나 이상 넘기세요.",
  ],
  [
    "{x:p} is {t:t}, {n:w} examples, and {y:p} is {u:t}, {m:w} examples; axis 0 of every argument is the examples, one number of them",
    "{x|은} {t|이라} 예가 {n}개, {y|은} {u|이라} 예가 {m}개입니다. 모든 인수의 축 0에는 같은 수의 예가 있어야 합니다.",
  ],
  ["it takes Values, Tensors, typed arrays and numbers", "Value, Tensor, 형식화 배열, 수를 받습니다."],
  ["it is a number of bytes, 0 or more", "0 이상의 바이트 수여야 합니다."],
  [
    "no plan fits a budget of {n:w} bytes; the least is {m:w} bytes, for {p:w} more forward work",
    "{n}바이트로는 어떤 계획도 맞지 않습니다. 가장 적은 것이 {m}바이트이고 순전파 계산이 {p} 늘어납니다.",
  ],
  ["the start has no leaf; there is nothing to solve for", "시작점에 잎이 없습니다. 풀 것이 없습니다."],
  ["unknowns are floating-point numbers of one dtype", "미지수는 자료형이 같은 실수여야 합니다."],
  ["{x:p} is {t} at the start, and {y:p} has {u} for it", "{x|은} 시작할 때 {t}인데 {y}에서는 {u}입니다."],
  ["the equations do not depend on the unknowns", "방정식이 미지수에 의존하지 않습니다."],
  [
    "{x:w} is no Value; write substitute(f, x, by) with the Values themselves",
    "{x|은} Value가 아닙니다. Value 자체를 넣어 substitute(f, x, by)로 쓰세요.",
  ],
  ["{x:w} is {t:t} and what takes its place is {u:t}; give the same type", "{x|은} {t}인데 대신할 값은 {u}입니다. 타입을 같게 하세요."],
  [
    "operand {i:w} of {f:w} is not {x:w}; a use is { node, operand } with node.operands[operand] === x",
    "{f}의 {i}번 피연산자는 {x|이} 아닙니다. 쓰이는 곳은 node.operands[operand] === x인 { node, operand }로 적습니다.",
  ],
  // Random numbers.
  [
    "keys are i32[2], made by random.key(seed), random.fold and random.split",
    "키는 random.key(seed), random.fold, random.split이 만드는 i32[2]입니다.",
  ],
  [
    "key is {t:t}, many keys; one is i32[2]; for a draw from each of them write vmap over the keys",
    "key는 {t|이라} 키가 여럿입니다. 키 하나는 i32[2]입니다. 키마다 뽑으려면 키에 vmap을 쓰세요.",
  ],
  [
    "{x:w} is no whole number within 2^53; seeds and step numbers are whole",
    "{x|은} 2^53 안의 정수가 아닙니다. 시드와 단계 번호는 정수여야 합니다.",
  ],
  ["the number is {t:t}; fold in a scalar whole number: {g}", "수가 {t}입니다. 정수 스칼라를 넣으세요: {g}"],
  ["nothing to fold in; give a name, a number or a scalar Value", "넣을 것이 없습니다. 이름, 수, 스칼라 Value를 주세요."],
  ["the count is {n:w}; it is a whole number, 0 or more", "개수가 {n}입니다. 0 이상의 정수여야 합니다."],
  ["draw floats, and cast", "실수를 뽑은 뒤 cast 하세요."],
  ["draw bool, then where or cast", "bool을 뽑은 뒤 where나 cast를 쓰세요."],
  ["a probability is between 0 and 1", "확률은 0과 1 사이여야 합니다."],
  [
    "p does not fit {t}: the result would be {u}; p must broadcast to the type",
    "p가 {t}에 맞지 않습니다. 결과가 {u|이} 됩니다. p는 그 타입으로 브로드캐스트되어야 합니다.",
  ],
];
