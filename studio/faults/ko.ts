import { arrayPhrases, arrays } from "./ko-arrays.ts";
import { containerPhrases, containers } from "./ko-containers.ts";
import { control, controlPhrases } from "./ko-control.ts";
import { enginePhrases, engines } from "./ko-engines.ts";
import { explanations } from "./ko-explain.ts";
import { files } from "./ko-files.ts";
import { formulaPhrases, formulas } from "./ko-formulas.ts";
import { layers } from "./ko-layers.ts";
import { onnx } from "./ko-onnx.ts";
import { onnxNodes, onnxPhrases } from "./ko-onnx-nodes.ts";
import { opPhrases, ops } from "./ko-ops.ts";
import { commonPhrases } from "./ko-phrases.ts";
import { runPhrases, runs } from "./ko-runs.ts";
import { studio } from "./ko-studio.ts";
import { optimizing, optimizingPhrases } from "./ko-training.ts";
import { values } from "./ko-values.ts";
import { type Catalogue, koreanOf } from "./tell-fault.ts";

const original = "영어 원문:";

/** All of the catalogue. */
export const catalogue: Catalogue = {
  rows: [
    ...formulas,
    ...ops,
    ...files,
    ...studio,
    ...values,
    ...control,
    ...arrays,
    ...engines,
    ...explanations,
    ...layers,
    ...optimizing,
    ...runs,
    ...containers,
    ...onnx,
    ...onnxNodes,
  ],
  phrases: [
    ...formulaPhrases,
    ...controlPhrases,
    ...opPhrases,
    ...commonPhrases,
    ...arrayPhrases,
    ...enginePhrases,
    ...runPhrases,
    ...optimizingPhrases,
    ...containerPhrases,
    ...onnxPhrases,
  ],
  about: {
    onnx: `ONNX 모델에 문제가 있습니다. ${original}`,
    csv: `표를 읽을 수 없습니다. ${original}`,
    safetensors: `텐서 파일을 읽을 수 없습니다. ${original}`,
    npz: `텐서 파일을 읽을 수 없습니다. ${original}`,
    npy: `텐서 파일을 읽을 수 없습니다. ${original}`,
    zip: `압축 파일을 읽을 수 없습니다. ${original}`,
    graph: `그래프를 읽을 수 없습니다. ${original}`,
    wasm: `계산 엔진이 멈췄습니다. ${original}`,
    draw: `그림을 그릴 수 없습니다. ${original}`,
    other: `문제가 생겼습니다. ${original}`,
  },
};

const teller = koreanOf(catalogue);

/** A fault of the library, of the studio's workers or of the browser, in Korean; what is not in the catalogue is introduced and stands in English. */
export const tellInKorean: (message: string) => string = teller.message;

/** A Korean text with the library's messages in it, such as what is said of a model file. */
export const linesInKorean: (text: string) => string = teller.lines;
