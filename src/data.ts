export { type CsvBlock, type CsvLabel, type CsvOptions, type CsvTable, csvBlocks, parseCsv } from "./data/csv.ts";
export { type Columns, type Dataset, dataset } from "./data/dataset.ts";
export { type Loader, type LoaderOptions, loader } from "./data/loader.ts";
export { parseNpy, serializeNpy } from "./data/npy.ts";
export { parseNpz, serializeNpz } from "./data/npz.ts";
export { readCsv } from "./data/read-csv.ts";
export { readTensorFile } from "./data/read-file.ts";
export { parseSafetensors, type SafetensorsContent, serializeSafetensors } from "./data/safetensors.ts";
export { writeFileWhole } from "./data/write-file.ts";
