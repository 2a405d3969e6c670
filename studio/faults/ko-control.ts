import type { Row } from "./tell-fault.ts";

/** What is said of calls, loops and branches. */
export const control: readonly Row[] = [
  ["its attribute graph is no graph", "속성 graph가 그래프가 아닙니다."],
  ["its attribute body is no graph", "속성 body가 그래프가 아닙니다."],
  ["its attributes yes and no are no graphs", "속성 yes와 no가 그래프가 아닙니다."],
  ["its attributes test and body are no graphs", "속성 test와 body가 그래프가 아닙니다."],
  ["the graph has {n:w} inputs and {m:w} operands were given", "그래프의 입력은 {n}개인데 피연산자를 {m}개 주었습니다."],
  ["a branch has {n:w} inputs and {m:w} operands were given", "가지의 입력은 {n}개인데 피연산자를 {m}개 주었습니다."],
  ["the body has {n:w} inputs and {m:w} operands were given", "몸체의 입력은 {n}개인데 피연산자를 {m}개 주었습니다."],
  ["its body has {n:w} inputs and {m:w} operands were given", "몸체의 입력은 {n}개인데 피연산자를 {m}개 주었습니다."],
  ["{x:w} is {t:t} in a branch, and operand {i:w} is {u:t}", "{x|은} 가지에서 {t}인데 {i}번 피연산자는 {u}입니다."],
  ["{x:w} is {t:t} in the body, and operand {i:w} is {u:t}", "{x|은} 몸체에서 {t}인데 {i}번 피연산자는 {u}입니다."],
  ["its two branches give results of different types", "두 가지가 내는 결과의 타입이 다릅니다."],
  ["the test is {t:t}", "조건이 {t}입니다."],
  ["the test returned {t:t}", "조건이 {t|을} 돌려주었습니다."],
  ["the test returned no Value", "조건이 Value를 돌려주지 않았습니다."],
  ["it is a truth value: compare, as in greater(x, 0)", "참거짓 값이어야 하니 greater(x, 0)처럼 비교하세요."],
  ["it is one truth value: use where to choose element by element", "참거짓 값 하나여야 합니다. 원소마다 고르려면 where를 쓰세요."],
  ["it is one truth value, not one per element", "원소마다가 아니라 참거짓 값 하나여야 합니다."],
  ["it returns one truth value, as greater(x, 0) does", "greater(x, 0)처럼 참거짓 값 하나를 돌려주어야 합니다."],
  [
    "the result is {t:t} from then and {u:t} from otherwise; both branches give one type: write {g}",
    "결과가 then에서는 {t}, otherwise에서는 {u}입니다. 두 가지의 타입이 같아야 하니 {g|을} 쓰세요.",
  ],
  [
    "the result is {t:t} from then and {u:t} from otherwise; both branches give one type: expand or reshape one of them",
    "결과가 then에서는 {t}, otherwise에서는 {u}입니다. 두 가지의 타입이 같아야 하니 하나를 expand나 reshape 하세요.",
  ],
  [
    "{x:w} is {t:t} from then and {u:t} from otherwise; both branches give one type: write {g}",
    "{x|은} then에서는 {t}, otherwise에서는 {u}입니다. 두 가지의 타입이 같아야 하니 {g|을} 쓰세요.",
  ],
  [
    "{x:w} is {t:t} from then and {u:t} from otherwise; both branches give one type: expand or reshape one of them",
    "{x|은} then에서는 {t}, otherwise에서는 {u}입니다. 두 가지의 타입이 같아야 하니 하나를 expand나 reshape 하세요.",
  ],
  ["{lesson:s}: the residual is {r:w}, and {most:w} is allowed", "{lesson!} (잔차 {r}, 허용 {most})"],
  ["not solved: {why:s}", "풀지 못했습니다. {why!}"],
  [
    "the steps did not settle in {n:w} rounds; start nearer, damp the step, raise limit, or bring { solve }",
    "{n}번 안에 수렴하지 않았습니다. 더 가까운 곳에서 시작하거나, 걸음을 줄이거나, limit를 늘리거나, { solve }를 주세요.",
  ],
  [
    "Newton's method did not settle in {n:w} rounds; start nearer, or bring { solve }",
    "뉴턴 방법이 {n}번 안에 수렴하지 않았습니다. 더 가까운 곳에서 시작하거나 { solve }를 주세요.",
  ],
  ["solve returned no root", "solve가 돌려준 것이 근이 아닙니다."],
  ["solve returned no fixed point", "solve가 돌려준 것이 고정점이 아닙니다."],
  [
    "the gradient is not zero where solve stopped; let it go on, or allow more: { tolerance }",
    "solve가 멈춘 곳에서 기울기가 0이 아닙니다. 더 풀게 하거나 { tolerance }로 더 허용하세요.",
  ],
  [
    '{method} did not solve the linear system of the derivative; use { linear: "dense" }, or look whether the solution is unique',
    '{method!|으로} 도함수의 연립 방정식을 풀지 못했습니다. { linear: "dense" }를 쓰거나, 해가 하나뿐인지 보세요.',
  ],
  [
    "the test still holds after {n:w} rounds; does the body change what the test looks at? If it needs more rounds, say so: {g}",
    "{n}번을 돌아도 조건이 참입니다. 몸체가 조건이 보는 값을 바꾸나요? 더 돌아야 하면 {g|을} 쓰세요.",
  ],
  [
    "length is {n:w} and there are {m:w} rows; it is a whole number from 0 to {k:w}",
    "length는 {n}인데 행은 {m}개입니다. 0부터 {k}까지의 정수여야 합니다.",
  ],
  ["it is a scalar number", "수인 스칼라여야 합니다."],
  ["it is a whole number of rows, 1 or more", "1 이상의 행 수여야 합니다."],
  ["it is a whole number of rounds, 1 or more", "1 이상의 반복 횟수여야 합니다."],
  ["the body returned a Value; it returns { carry, out }", "몸체가 Value를 돌려주었습니다. { carry, out }을 돌려주어야 합니다."],
  ["the body returned no record; it returns { carry, out }", "몸체가 레코드를 돌려주지 않았습니다. { carry, out }을 돌려주어야 합니다."],
  ["it is a tree of Values, Tensors, typed arrays and numbers", "Value, Tensor, 형식화 배열, 수의 트리여야 합니다."],
  [
    "{x:w} is {t:t} at the start and {u:t} after one step; a carry keeps its type: start it as {v:w}, or write {g}",
    "{x|은} 처음에 {t}, 한 단계 뒤에 {u}입니다. carry의 타입은 바뀌지 않아야 하니 {v|으로} 시작하거나 {g|을} 쓰세요.",
  ],
  [
    "{x:w} is {t:t} at the start and {u:t} after one step; a carry keeps its type: start it in the shape that the body gives, or expand it",
    "{x|은} 처음에 {t}, 한 단계 뒤에 {u}입니다. carry의 타입은 바뀌지 않아야 하니 몸체가 내는 모양으로 시작하거나 expand 하세요.",
  ],
  ["{x:w} is {t:t} and has no rows; let the body use it from outside", "{x|은} {t|이라} 행이 없습니다. 몸체가 바깥의 값으로 쓰게 하세요."],
  ["all of xs have one size along axis 0", "xs는 모두 축 0의 크기가 같아야 합니다."],
  ["there are no xs, so say how many steps there are: {g}", "xs가 없으니 몇 단계인지 적으세요: {g}"],
  [
    "length is a Value and there are no xs; the most steps have to be a number: give xs of that many rows, or use whileLoop",
    "length가 Value인데 xs가 없습니다. 단계의 최대 개수는 수여야 하니 그만큼의 행이 있는 xs를 주거나 whileLoop을 쓰세요.",
  ],
];

/** Parts of such sentences. */
export const controlPhrases: readonly Row[] = [
  ["conjugate gradients", "켤레 기울기법"],
  ["biconjugate gradients", "쌍켤레 기울기법"],
];
