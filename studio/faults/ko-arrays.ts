import type { Row } from "./tell-fault.ts";

/** What rarer ops and those of matrices say. */
export const arrays: readonly Row[] = [
  ["{what:p} is {x:w} and the table has {n:w} {_rows:w}", "{what|이} {x}인데 표의 행은 {n}개입니다."],
  ["{what:p} is {x:w} and there {_are:w} {n:w} {_classes:w}", "{what|이} {x}인데 클래스는 {n}개입니다."],
  ["{what:p} is {x:w} and depth is {n:w}", "{what|이} {x}인데 depth는 {n}입니다."],
  ["the table has {n:w} {_rows:w}", "표의 행은 {n}개입니다."],
  ["there {_are:w} {n:w} {_classes:w}", "클래스는 {n}개입니다."],
  ["axis {a:w} of x has size {n:w}", "x의 축 {a}의 크기는 {n}입니다."],
  ["ids are {range:w}", "id는 {range|이어야} 합니다."],
  ["labels are {range:w}", "레이블은 {range|이어야} 합니다."],
  ["labels are {range:w}, or {n:w} to be ignored", "레이블은 {range|이어야} 하고, 무시할 것은 {n|으로} 적습니다."],
  ["dy has w's output channels", "dy의 채널은 w의 출력 채널이어야 합니다."],
  ["both have one batch size", "두 값의 배치 크기가 같아야 합니다."],
  [
    "outputPadding {a:w} on spatial axis {i:w} is not smaller than stride {b:w} or dilation {c:w}",
    "공간 축 {i}의 outputPadding {a|은} stride {b|이나} dilation {c}보다 작아야 합니다.",
  ],
  ["padding {a:w} and {b:w} leaves nothing of spatial axis {i:w}", "padding {a|과} {b|은} 공간 축 {i|을} 남김없이 없앱니다."],
  [
    "padding {a:w} and {b:w} on spatial axis {i:w} gives the window, which reaches over {n:w}, nothing but padding; pad by less than {m:w}",
    "공간 축 {i}의 padding {a|과} {b} 때문에 {n}칸에 걸친 창에 채움만 들어갑니다. {m}보다 적게 채우세요.",
  ],
  ["operand {i:w} has two ellipses", "{i}번 피연산자에 ...이 두 번 나옵니다."],
  ["the result has two ellipses", "결과에 ...이 두 번 나옵니다."],
  [
    'the operands have an ellipsis and the result has none; write "..." in the result',
    '피연산자에는 ...이 있는데 결과에는 없습니다. 결과에 "..."을 쓰세요.',
  ],
  ['the first argument is the specification, such as "ij,jk->ik"', '첫째 인수는 "ij,jk->ik" 같은 명세여야 합니다.'],
  [
    "element {i:w} is {x:w} and {t:w} holds whole numbers from {a:w} to {b:w}; clip it first, or choose another dtype",
    "원소 {i|은} {x}인데 {t|은} {a}부터 {b}까지의 정수만 담습니다. 먼저 clip 하거나 다른 자료형을 고르세요.",
  ],
  ["{x:w} is no dtype; write one of {all:p}", "{x|은} 자료형이 아닙니다. {all} 가운데 하나를 쓰세요."],
  [
    "{x:w} is {n:w}, which {t:w} cannot hold; use a whole number in range, or cast x to a float",
    "{x|은} {n}인데 {t|은} 이 수를 담을 수 없습니다. 범위 안의 정수를 쓰거나 x를 실수로 cast 하세요.",
  ],
  ["value is {t:t} and the type is {u:t}; write {g}", "값은 {t}, 타입은 {u}입니다. {g|으로} 쓰세요."],
  [
    "start {a:w} and step {b:w} are not whole and the dtype is {t:w}; write {g}",
    "start {a|과} step {b|이} 정수가 아닌데 자료형은 {t}입니다. {g|으로} 쓰세요.",
  ],
  [
    "x is {t}, indices is {u} and batchDims is {n:w}; the last axis of indices holds index tuples of at most {m:w} numbers, and the first {k:w} sizes of both are equal",
    "x는 {t}, indices는 {u}, batchDims는 {n}입니다. indices의 마지막 축은 {m}개 이하의 수로 된 인덱스이고, 두 값의 앞 {k}개 크기가 같아야 합니다.",
  ],
  ["x is {t:t} and indices is {u:t}, so updates is {s}; it is {v:t}", "x는 {t}, indices는 {u|이라} updates는 {s|이어야} 하는데 {v}입니다."],
  [
    "x is {t:t} and indices is {u:t}, so on axis {a:w} updates is {s}; it is {v:t}",
    "x는 {t}, indices는 {u|이라} 축 {a}에서 updates는 {s|이어야} 하는데 {v}입니다.",
  ],
  [
    "class {i:w} is {x:w}; classes are {range:w}, or -1 for none",
    "클래스 {i|이} {x}입니다. 클래스는 {range|이어야} 하고, 없음은 -1입니다.",
  ],
  [
    "pads[{i:w}] is {x}; a pair is [before, after], whole numbers, 0 or more; to take elements off write slice",
    "pads[{i}]가 {x}입니다. 쌍은 0 이상의 정수 [앞, 뒤]여야 합니다. 원소를 떼어 내려면 slice를 쓰세요.",
  ],
  [
    'x is {t} and axis {a:w} has no edge to repeat; use mode "constant"',
    'x는 {t|이라} 축 {a}에 되풀이할 끝이 없습니다. mode "constant"를 쓰세요.',
  ],
  [
    'pads[{i:w}] is {p} and axis {a:w} of x, {t}, has size {n:w}; mode "reflect" can mirror at most {m:w} elements',
    'pads[{i}]는 {p}인데 x({t})의 축 {a}의 크기는 {n}입니다. mode "reflect"는 원소를 {m}개까지 비출 수 있습니다.',
  ],
  ["x is {t} and axis {a:w} has no elements, so there is nothing to list", "x는 {t|이라} 축 {a}에 원소가 없어 늘어놓을 것이 없습니다."],
  // Matrices.
  [
    'of is {a:w} and zero is {b:w}; they are "eigh" or "svd", and true or false',
    'of는 {a}, zero는 {b}입니다. of는 "eigh"나 "svd", zero는 true나 false여야 합니다.',
  ],
  [
    "eigenvalues {i:w} and {j:w} of {a:w} are equal to rounding ({x:w} and {y:w}), so their vectors are any basis of a plane and have no derivative; use the values alone, or write the function without vectors (solve, inverse, cholesky, matmul)",
    "{a}의 고윳값 {i|과} {j|이} 반올림 오차 안에서 같아({x|과} {y}) 그 벡터는 평면의 아무 기저나 될 수 있고 도함수가 없습니다. 값만 쓰거나, 벡터 없이(solve, inverse, cholesky, matmul) 함수를 쓰세요.",
  ],
  [
    "singular values {i:w} and {j:w} of {a:w} are equal to rounding ({x:w} and {y:w}), so their vectors are any basis of a plane and have no derivative; use the values alone, or write the function without vectors (solve, inverse, cholesky, matmul)",
    "{a}의 특잇값 {i|과} {j|이} 반올림 오차 안에서 같아({x|과} {y}) 그 벡터는 평면의 아무 기저나 될 수 있고 도함수가 없습니다. 값만 쓰거나, 벡터 없이(solve, inverse, cholesky, matmul) 함수를 쓰세요.",
  ],
  [
    "the smallest of the {_values} of {a:w} is 0 to rounding ({x:w}), so its vector on the longer side is not determined and has no derivative; use the values alone, or a matrix of full rank",
    "{a}의 가장 작은 값이 반올림 오차 안에서 0이라({x}) 긴 쪽의 벡터가 정해지지 않고 도함수가 없습니다. 값만 쓰거나 꽉 찬 계수의 행렬을 쓰세요.",
  ],
  ["it has no axis to transform", "변환할 축이 없습니다."],
  ["both parts have one shape", "두 부분의 모양이 같아야 합니다."],
  [
    "x is no operand and has no part re; write {g} for real numbers and {h} for complex ones",
    "x는 피연산자도 아니고 re 부분도 없습니다. 실수는 {g}, 복소수는 {h|으로} 쓰세요.",
  ],
  [
    "axis {a:w} of {t} has {n:w} coefficients and size is {m:w}; 1 coefficient is of size 1: write { size: 1 }",
    "{t}의 축 {a}에 계수가 {n}개인데 size는 {m}입니다. 계수 1개는 크기 1의 것이니 { size: 1 }로 쓰세요.",
  ],
  [
    "axis {a:w} of {t} has {n:w} coefficients and size is {m:w}; that many are of size {x:w} or {y:w}",
    "{t}의 축 {a}에 계수가 {n}개인데 size는 {m}입니다. 계수가 그만큼이면 크기는 {x} 또는 {y}입니다.",
  ],
  ["if b holds vectors along its last axis, write {g}", "b의 마지막 축에 벡터가 놓였다면 {g|으로} 쓰세요."],
  [
    "{a:w} has 0 on its diagonal in row {i:w}, so the system has no unique solution; add a small multiple of the unit matrix, or take the least-squares solution from svd",
    "{a}의 대각선 {i}번 행이 0이라 해가 하나로 정해지지 않습니다. 단위 행렬을 조금 더하거나, svd로 최소제곱 해를 구하세요.",
  ],
];

/** Parts of such sentences. */
export const arrayPhrases: readonly Row[] = [
  ["label", "레이블"],
  ["id", "id"],
];
