/** A package that is installed in this folder. @param {string} name @returns {Promise<any>} */
export const load = (name) => import(name);
