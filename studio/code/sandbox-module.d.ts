/** Made by the build: the addresses of the frame that programs run in, and of the library as one script for their worker. */
declare module "virtual:code-sandbox" {
  export const frameUrl: string;
  export const preludeUrl: string;
}
